"""Puts figures and facts into words of the reader's language."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.contract.enums import Feature, JobStatus
from bert_training.models import Job, Run
from bert_training.services.proving.figure_words import count_text, share_text
from bert_training.services.queue import queue_status
from bert_training.services.worker_hours import outside_words
from bert_training.tasks import TASKS
from bert_training.tasks.spec import Metric

COEFFICIENTS = frozenset({"mcc", "kappa"})  # from -1 to 1, with 0 for chance: no shares of anything


@dataclass(frozen=True)
class Fact:
    """A term and its value, as a definition list shows them."""

    label: str
    text: str
    unit: str = ""
    is_digest: bool = False
    is_first: bool = False


def figure_text(metric: Metric, value: float | None) -> str:
    """Write a figure: those where more is better are shares, the others (a loss) and coefficients plain numbers."""
    if value is None or (metric.higher_is_better and metric.name not in COEFFICIENTS):
        return share_text(value)
    return str(number_format(round(value, 4), decimal_pos=4))


def headline(run: Run) -> Fact | None:
    """Return the figure that picked the best network of a run, the one that lists show; None while there is none."""
    spec = TASKS.get(run.task)
    metrics = spec.metrics if spec else ()
    metric = next((metric for metric in metrics if metric.name == run.headline_metric), None)
    if metric is None or run.headline_value is None:
        return None
    return Fact(_(metric.label), figure_text(metric, run.headline_value), is_first=True)


@dataclass(frozen=True)
class Computers:
    """How many PCs can take work now, in a sentence that everybody may read."""

    online: int
    busy: int
    last_seen_at: datetime | None = None

    @property
    def sentence(self) -> str:
        """Say how many are there; when none is, since when, and what to do."""
        if not self.online and self.last_seen_at is None:
            return _("No computer has asked for work yet: runs wait until one is started.")
        if not self.online:
            since = date_format(timezone.localtime(self.last_seen_at), "SHORT_DATETIME_FORMAT")
            return _("No computer has asked for work since %(time)s: runs wait until one is started.") % {"time": since}
        there = ngettext("%(count)s computer is online", "%(count)s computers are online", self.online)
        if self.busy:
            working = ngettext("%(count)s is working", "%(count)s are working", self.busy)
        else:
            working = _("none is working")
        return f"{there % {'count': self.online}}, {working % {'count': self.busy}}."


def computers() -> Computers:
    """Count the PCs that are online."""
    counts = queue_status()["workers"]
    return Computers(online=counts["online"], busy=counts["busy"], last_seen_at=counts["last_seen_at"])


def held_sentence(job: Job) -> str:
    """Say for which computer a run waits, and until when; empty when any may take it. Costs one query when held."""
    if not job.is_held or job.hold_worker is None:
        return ""
    if job.hold_worker.paused_at is not None:
        words = _(
            "Waits for %(worker)s, which is paused and has its checkpoint at step %(step)s; "
            "another computer would start from the beginning."
        )
        return words % {"worker": job.hold_worker.name, "step": count_text(job.checkpoint_step)}
    words = _(
        "Waits until %(time)s for %(worker)s, which has its checkpoint at step %(step)s; "
        "another computer would start from the beginning."
    )
    until = f"{timezone.localtime(job.hold_until):%H:%M}"
    return words % {"time": until, "worker": job.hold_worker.name, "step": count_text(job.checkpoint_step)}


def bound_sentence(job: Job) -> str:
    """Say which computer alone can begin a waiting run, and what keeps that one; empty when any can."""
    keeper = job.bound_to if job.status == JobStatus.QUEUED else None
    if keeper is None:
        return ""
    if not keeper.active:
        words = _("Waits for %(worker)s, which keeps the model that it begins from and is switched off.")
    elif not keeper.is_online:
        words = _("Waits for %(worker)s, which keeps the model that it begins from and is not connected now.")
    elif keeper.paused_at is not None:
        words = _("Waits for %(worker)s, which keeps the model that it begins from and is paused.")
    elif keeper.draining:
        words = _("Waits for %(worker)s, which keeps the model that it begins from and takes no new runs now.")
    elif not keeper.can(Feature.INITIAL_WEIGHTS):
        words = _("Waits for %(worker)s, which keeps the model that it begins from; its program must be updated first.")
    elif outside := outside_words(keeper, timezone.now()):
        words = _("Waits for %(worker)s, which keeps the model that it begins from and is %(outside)s.")
        return words % {"worker": keeper.name, "outside": outside}
    else:
        words = _("Waits for %(worker)s, which keeps the model that it begins from.")
    return words % {"worker": keeper.name}
