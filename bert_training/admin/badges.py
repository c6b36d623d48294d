"""Small coloured words for states; the colour never stands alone, the word is always there."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from bert_training.contract.enums import DatasetStatus, JobStatus, LogLevel, Outcome, ProfileStatus, WorkerState
from bert_training.models import AccessToken, Job, Run, Worker
from bert_training.models.choices import Label

SECONDS_A_MINUTE = 60
COLOURS: dict[str, str] = {
    JobStatus.QUEUED: "neutral",
    JobStatus.RUNNING: "info",
    JobStatus.COMPLETED: "success",
    JobStatus.FAILED: "danger",
    JobStatus.CANCELED: "warning",
    Outcome.RELEASED: "neutral",
    Outcome.LOST: "danger",
    DatasetStatus.CHECKING: "info",
    DatasetStatus.READY: "success",
    DatasetStatus.REFUSED: "danger",
    ProfileStatus.PENDING: "info",
    ProfileStatus.FAILED: "danger",
    LogLevel.DEBUG: "neutral",
    LogLevel.INFO: "info",
    LogLevel.WARNING: "warning",
    LogLevel.ERROR: "danger",
}


def badge(colour: str, words: Label) -> SafeString:
    """Return a word in one of the colours neutral, info, success, warning, danger."""
    return format_html('<span class="badge badge-{}">{}</span>', colour, words)


def state_badge(state: str, words: Label) -> SafeString:
    """Return a state of one of the closed lists in its colour."""
    return badge(COLOURS.get(state, "neutral"), words)


def run_badge(run: Run) -> SafeString:
    """Return the state of a run; needs its job (select_related) to tell that a cancel is under way."""
    job: Job | None = getattr(run, "job", None)
    if job is not None and job.is_canceling:
        return badge("warning", _("canceling"))
    return state_badge(run.status, run.get_status_display())


def worker_badge(worker: Worker) -> SafeString:
    """Return whether a worker is online, and what it does."""
    if not worker.active:
        return badge("neutral", _("deactivated"))
    if worker.last_seen_at is None:
        return badge("neutral", _("never connected"))
    if worker.state == WorkerState.STOPPED:
        return badge("neutral", worker.get_state_display())
    if not worker.is_online:
        return badge("danger", _("silent"))
    if worker.paused_at is not None:
        return badge("warning", _("paused"))
    colour = {WorkerState.BUSY.value: "info", WorkerState.DRAINING.value: "warning"}.get(worker.state, "success")
    return badge(colour, worker.get_state_display())


def token_badge(token: AccessToken) -> SafeString:
    """Return whether a token still opens the door."""
    if token.revoked_at is not None:
        return badge("neutral", _("revoked"))
    if token.expires_at is not None and token.expires_at <= timezone.now():
        return badge("warning", _("expired"))
    return badge("success", _("valid"))


def ago(moment: datetime | None) -> str:
    """Return "3 minutes ago"; a dash for never."""
    if moment is None:
        return "-"
    seconds = (timezone.now() - moment).total_seconds()
    return _("%(time)s ago") % {"time": duration(seconds)} if seconds >= SECONDS_A_MINUTE else _("just now")


def duration(seconds: float | None) -> str:
    """Return "3 minutes", or nothing for None."""
    if seconds is None:
        return ""
    if seconds < SECONDS_A_MINUTE:
        return _("%(count)d s") % {"count": seconds}
    now = timezone.now()
    return timesince(now - timedelta(seconds=seconds), now, depth=1)
