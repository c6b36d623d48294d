"""When waiting runs are expected to start: plays the queue over the computers that take runs now. Changes nothing.

Rough by nature, hence a range, and honest: what cannot be told is None. The same rows give the same answer; the number
of queries is fixed, and of a long queue only the front is read.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from bert_training.contract.enums import Feature, JobStatus, Outcome
from bert_training.models import Job, JobAttempt, Worker
from bert_training.services.past_durations import Duration, PastDurations, past_durations
from bert_training.services.worker_hours import next_opening

FRONT = 500  # entries that are looked at: 20 pages
# A worker says when it will be done at the latest; early stopping ends many runs before.
EARLIEST_SHARE = 0.5
_OF_A_DATASET = ("summary", "report", "columns", "extra_files", "request", "description")
# What a forecast does not need; a report may have a megabyte.
HEAVY = ("run__result", "run__reproducibility", *(f"run__dataset__{name}" for name in _OF_A_DATASET))


class Unknown(StrEnum):
    """Why it cannot be told when a run starts."""

    NO_COMPUTER = "no_computer"  # none that takes such runs is online and takes new ones
    NO_EXPERIENCE = "no_experience"  # it waits for runs of which nobody knows how long they take
    TOO_FAR = "too_far"


@dataclass(frozen=True)
class Start:
    """When a run begins, at the earliest and at the latest; None = cannot be told, `unknown` says why."""

    earliest: datetime | None = None
    latest: datetime | None = None
    unknown: Unknown | None = None


@dataclass(frozen=True)
class Outlook:
    """What is expected of a waiting run. number: of the waiting runs of its owner and priority, in their order."""

    start: Start
    number: int


@dataclass
class Machine:
    """A computer that takes runs, and when it is free: at the earliest and latest, None = nobody knows."""

    worker: Worker
    free_early: datetime
    free_late: datetime | None
    people: frozenset[int] | None = None  # of its team; None = everybody

    def takes(self, job: Job) -> bool:
        """Tell whether it may be given this job."""
        if job.is_held and job.hold_worker_id != self.worker.pk:
            return False
        if job.bound_to_id is not None:
            return job.bound_to_id == self.worker.pk and self.worker.can(Feature.INITIAL_WEIGHTS)
        is_for_us = self.people is None or job.run.owner_id in self.people
        return is_for_us and job.task in self.worker.tasks and job.simulate == self.worker.simulates

    @property
    def early(self) -> datetime:
        """Return when it can begin the next job at the earliest: free, and within its hours."""
        return next_opening(self.worker, self.free_early) or self.free_early

    @property
    def late(self) -> datetime | None:
        """Return when it will begin the next job at the latest."""
        return self.free_late and (next_opening(self.worker, self.free_late) or self.free_late)

    def occupy(self, duration: Duration | None) -> None:
        """Give it a job."""
        late = self.late
        self.free_early = self.early + timedelta(seconds=duration.low if duration else 0)
        self.free_late = late + timedelta(seconds=duration.high) if late and duration else None


@dataclass
class Plan:
    """The front of the queue as it will be handed out."""

    machines: list[Machine]
    past: PastDurations
    starts: dict[int, Start] = field(default_factory=dict)

    def place(self, job: Job) -> None:
        """Give a job to the computer that will be free first."""
        able = [machine for machine in self.machines if machine.takes(job)]
        if not able:
            self.starts[job.pk] = Start(unknown=Unknown.NO_COMPUTER)
            return
        sure = [machine.late for machine in able if machine.late]
        latest = min(sure) if sure else None
        earliest = min(machine.early for machine in able)
        self.starts[job.pk] = Start(earliest, latest, unknown=None if latest else Unknown.NO_EXPERIENCE)
        chosen = min(able, key=lambda machine: (machine.late is None, machine.late or machine.early, machine.worker.pk))
        chosen.occupy(self.past.of(job))


def outlook(waiting: Sequence[Job]) -> dict[int, Outlook]:
    """Return what is expected of the front of the queue, by job; of others there is none (UNKNOWN_OUTLOOK).

    waiting: the first of `queued_jobs`, FRONT at most, none left out. 3 queries, 4 where computers belong to teams.
    """
    plan = Plan(_machines(timezone.now(), past := past_durations(), waiting), past)
    for job in sorted(waiting, key=lambda job: not job.is_held):  # who is waited for takes that one first
        plan.place(job)
    seen: Counter[tuple[int, int]] = Counter()
    found = {}
    for job in waiting:
        whose = (job.run.owner_id, job.priority)
        seen[whose] += 1
        found[job.pk] = Outlook(plan.starts[job.pk], number=seen[whose])
    return found


UNKNOWN_OUTLOOK = Outlook(Start(unknown=Unknown.TOO_FAR), number=0)


def queued_jobs() -> QuerySet[Job]:
    """Return the queue in its order, with what a forecast needs."""
    jobs = Job.objects.in_queue_order().select_related("run__owner", "run__dataset", "hold_worker", "bound_to")
    return jobs.defer(*HEAVY)


def _machines(now: datetime, past: PastDurations, waiting: Sequence[Job]) -> list[Machine]:
    workers = Worker.objects.fresh().filter(active=True, draining=False).order_by("pk")
    taking = [worker for worker in workers if worker.is_online]
    attempts = JobAttempt.objects.filter(outcome=Outcome.RUNNING, job__status=JobStatus.RUNNING)
    attempts = attempts.select_related("job__run__dataset").defer(*(f"job__{name}" for name in HEAVY))
    busy = {each.worker_id: each for each in attempts}
    teams = _people_of_teams({worker.team_id for worker in taking} - {None}, waiting)
    return [
        Machine(worker, *_free_from(busy.get(worker.pk), past, now), people=teams.get(worker.team_id))
        for worker in taking
    ]


def _free_from(attempt: JobAttempt | None, past: PastDurations, now: datetime) -> tuple[datetime, datetime | None]:
    """Return when the attempt that a computer works on ends, at the earliest and at the latest."""
    if attempt is None:
        return now, now
    if attempt.expected_end is not None:
        left = max(attempt.expected_end - now, timedelta())
        return now + EARLIEST_SHARE * left, now + left
    duration = past.of(attempt.job)
    if duration is None:
        return now, None
    ends = [attempt.started_at + timedelta(seconds=seconds) for seconds in duration]
    return max(now, ends[0]), max(now, ends[1])


def _people_of_teams(teams: set[int | None], waiting: Sequence[Job]) -> dict[int | None, frozenset[int]]:
    """Return which owners of waiting runs are in each team that has a computer."""
    if not teams:
        return {}
    owners = {job.run.owner_id for job in waiting}
    pairs = User.objects.filter(pk__in=owners, teams__in=teams).values_list("teams", "pk")
    return {team: frozenset(person for of, person in pairs if of == team) for team in teams}
