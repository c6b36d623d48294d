"""Why nothing happens with a run just now: one sentence, the same wherever it is asked.

Each reason is a function of the job and the reader; the first that applies is told. Who does not operate computers
reads their names only where the run itself names them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training import access
from bert_training.contract.enums import JobStatus, WorkerState
from bert_training.contract.limits import FREE_DISK_BYTES
from bert_training.models import Job, Worker
from bert_training.pages.words import bound_sentence, held_sentence
from bert_training.services.run_state import silent_sentence

MOST_WORKERS = 100  # the newest heard of; an office has a few
NAMED_WORKERS = 3


@dataclass(frozen=True)
class Waiting:
    """What a reader is told; is_warning: somebody has to do something."""

    sentence: str
    is_warning: bool = False


@dataclass(frozen=True)
class Case:
    """What the reasons look at; the computers are read once, and only where a reason asks."""

    job: Job
    reader: User

    @cached_property
    def active(self) -> list[Worker]:
        """The computers that are switched on in the portal, the one heard of last first."""
        return list(
            Worker.objects.filter(active=True, last_seen_at__isnull=False).order_by("-last_seen_at")[:MOST_WORKERS]
        )

    @cached_property
    def online(self) -> list[Worker]:
        """Those that are connected now."""
        return [worker for worker in self.active if worker.is_online]

    @cached_property
    def own(self) -> list[Worker]:
        """Those connected that may take runs of this owner."""
        teams = set(self.job.run.owner.teams.values_list("pk", flat=True))
        return [worker for worker in self.online if worker.team_id is None or worker.team_id in teams]

    @cached_property
    def able(self) -> list[Worker]:
        """Of these, those whose program can train the task."""
        return [worker for worker in self.own if self.job.task in worker.tasks]

    @cached_property
    def taking(self) -> list[Worker]:
        """Of these, those that take new runs."""
        return [worker for worker in self.able if not worker.draining and worker.state != WorkerState.DRAINING]


def why_waiting(job: Job, reader: User) -> Waiting | None:
    """Say why nothing happens with a job; None while something does, and when it has ended."""
    case = Case(job, reader)
    reasons = {JobStatus.QUEUED: QUEUED_REASONS, JobStatus.RUNNING: RUNNING_REASONS}.get(JobStatus(job.status), ())
    return next((found for reason in reasons if (found := reason(case))), None)


def _silent(case: Case) -> Waiting | None:
    if not case.job.silent_since or case.job.worker is None:
        return None
    words = _(
        "%(worker)s: %(silence)s. If it comes back, the training goes on there; otherwise the run returns to the queue."
    )
    return Waiting(words % {"worker": case.job.worker.name, "silence": silent_sentence(case.job)}, is_warning=True)


def _canceling(case: Case) -> Waiting | None:
    if not case.job.is_canceling or case.job.worker is None:
        return None
    return Waiting(_("Being canceled: %(worker)s stops and reports back.") % {"worker": case.job.worker.name})


def _bound(case: Case) -> Waiting | None:
    keeper = case.job.bound_to
    sentence = bound_sentence(case.job)
    return Waiting(sentence, is_warning=not (keeper and keeper.is_online)) if sentence else None


def _held(case: Case) -> Waiting | None:
    sentence = held_sentence(case.job)
    return Waiting(sentence) if sentence else None


def _nobody_there(case: Case) -> Waiting | None:
    if case.online:
        return None
    sentence = _("Waiting: no computer is connected now. The run starts by itself when one is.")
    if not case.active:
        return Waiting(sentence, is_warning=True)
    seen = date_format(timezone.localtime(case.active[0].last_seen_at), "SHORT_DATETIME_FORMAT")
    if access.may_operate(case.reader):
        words = _("Switched off or without network: %(workers)s. Last heard of: %(time)s.")
        more = words % {"workers": _names(case.active), "time": seen}
    else:
        more = _("The last one was heard of %(time)s.") % {"time": seen}
    return Waiting(f"{sentence} {more}", is_warning=True)


def _not_for_this_owner(case: Case) -> Waiting | None:
    if case.own:
        return None
    return Waiting(_("Waiting: the computers that are connected work for other teams only."), is_warning=True)


def _nobody_able(case: Case) -> Waiting | None:
    if case.able:
        return None
    words = _("Waiting: no computer that is connected can train this task. The program there must be updated.")
    return Waiting(words, is_warning=True)


def _simulation(case: Case) -> Waiting | None:
    if not case.job.simulate:
        return None
    return Waiting(_("A simulation waits for a computer that was started for trials (--dry-run)."))


def _nobody_takes(case: Case) -> Waiting | None:
    if case.taking:
        return None
    words = _("Waiting: the computers that are connected take no new runs now: somebody lets them finish.")
    return Waiting(words, is_warning=True)


def _no_room(case: Case) -> Waiting | None:
    """No computer has the disk space without which it asks for no run."""
    if any(_free_bytes(worker) >= FREE_DISK_BYTES for worker in case.taking):
        return None
    words = _("Waiting: the disks of the computers that are connected are full. Each needs more free space first.")
    return Waiting(words, is_warning=True)


def _free_bytes(worker: Worker) -> float:
    free = worker.hardware.get("disk_free") if isinstance(worker.hardware, dict) else None
    return free if isinstance(free, int | float) else FREE_DISK_BYTES  # not told: as if there were room


def _in_line(case: Case) -> Waiting:
    ahead = _count_ahead(case.job)
    if not ahead and any(worker.state == WorkerState.IDLE for worker in case.taking):
        return Waiting(_("A computer is free: it takes this run within a minute."))
    if not ahead:
        return Waiting(_("Waiting for a free computer; this run is next."))
    words = ngettext("Waiting: %(count)s run is ahead.", "Waiting: %(count)s runs are ahead.", ahead)
    return Waiting(words % {"count": ahead})


def _count_ahead(job: Job) -> int:
    before = Q(priority__gt=job.priority) | Q(priority=job.priority, turn__lt=job.turn)
    before |= Q(priority=job.priority, turn=job.turn, pk__lt=job.pk)
    return Job.objects.filter(before, status=JobStatus.QUEUED).count()


def _names(workers: list[Worker]) -> str:
    named = ", ".join(worker.name for worker in workers[:NAMED_WORKERS])
    more = len(workers) - NAMED_WORKERS
    if more <= 0:
        return named
    words = ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", more)
    return words % {"names": named, "count": more}


Reason = Callable[[Case], Waiting | None]
RUNNING_REASONS: tuple[Reason, ...] = (_silent, _canceling)
QUEUED_REASONS: tuple[Reason, ...] = (
    _bound,
    _held,
    _nobody_there,
    _not_for_this_owner,
    _nobody_able,
    _simulation,
    _nobody_takes,
    _no_room,
    _in_line,
)
