"""The queue as somebody may see it: positions for all, names as access allows, what is expected of each entry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import JobStatus, Outcome
from bert_training.models import Job, JobAttempt, Run
from bert_training.services.queue_forecast import FRONT, UNKNOWN_OUTLOOK, Outlook, outlook, queued_jobs
from bert_training.services.queue_words import end_words, start_words, turn_words
from bert_training.tasks import TASKS

MOST_RUNNING = 200  # shown at once; each has a computer of its own


@dataclass(frozen=True)
class Entry:
    """One line of the queue; `run` is None where the reader may not know it, opens: whether they may see its page."""

    job: Job
    run: Run | None
    position: int
    opens: bool = False
    is_own: bool = False
    outlook: Outlook | None = None  # None: nobody asked
    expected_end: datetime | None = None  # of a running one
    remark: str = ""  # what is unusual about it, in words; filled by who shows it

    @property
    def task_label(self) -> str:
        """Name the task in the reader's language."""
        return _(TASKS[self.job.task].label) if self.job.task in TASKS else self.job.task

    @property
    def start_words(self) -> str:
        """Say when it is expected to start."""
        return start_words(self.outlook.start, timezone.now()) if self.outlook else ""

    @property
    def end_words(self) -> str:
        """Say when it is expected to end; empty where its computer has not said so."""
        return end_words(self.expected_end, timezone.now()) if self.expected_end else ""

    @property
    def turn_words(self) -> str:
        """Say why it stands where it stands."""
        if self.outlook is None:
            return ""
        owner = self.run.owner.get_username() if self.run else None
        return turn_words(self.outlook, priority=self.job.priority, owner=owner, is_own=self.is_own)


def entries_of(
    user: User, jobs: Iterable[Job], *, first: int = 1, outlooks: Mapping[int, Outlook] | None = None
) -> list[Entry]:
    """Join jobs with those of their runs that somebody may see; operators read the names of all. 2 queries.

    outlooks: what is expected of them, by job; without them nothing is said about it.
    """
    listed = list(jobs)
    wanted = [job.run_id for job in listed]
    opened = set(access.runs_visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True))
    named = wanted if access.may_operate(user) else opened
    runs = Run.objects.select_related("owner").only("name", "owner__username").in_bulk(named)
    return [
        Entry(
            job,
            run := runs.get(job.run_id),
            position,
            opens=job.run_id in opened,
            is_own=run is not None and run.owner_id == user.pk,
            outlook=None if outlooks is None else outlooks.get(job.pk, UNKNOWN_OUTLOOK),
        )
        for position, job in enumerate(listed, start=first)
    ]


def waiting_entries(user: User, *, first: int, count: int) -> list[Entry]:
    """Return the entries from a position (1 = the next) on, with what is expected of them."""
    until = first - 1 + count
    front = list(queued_jobs()[: min(until, FRONT)])
    shown = front[first - 1 :] if until <= FRONT else list(queued_jobs()[first - 1 : until])
    return entries_of(user, shown, first=first, outlooks=outlook(front))


def running_entries(user: User) -> list[Entry]:
    """Return what runs now, the longest first, with when each is expected to end."""
    running = Job.objects.filter(status=JobStatus.RUNNING).select_related("worker").order_by("started_at")
    attempts = JobAttempt.objects.filter(outcome=Outcome.RUNNING, job__status=JobStatus.RUNNING)
    ends = dict(attempts.exclude(expected_end=None).values_list("job", "expected_end"))
    entries = entries_of(user, running[:MOST_RUNNING])
    return [replace(entry, expected_end=ends.get(entry.job.pk)) for entry in entries]
