"""The tries of a job, each by one worker: the history that tells what happened to a run."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bert_training.admin.badges import state_badge
from bert_training.admin.base import FactsAdmin, FactsInline, ListFilter, admin_url, link, shown_moment
from bert_training.contract.enums import Reason
from bert_training.models import Job, JobAttempt
from bert_training.models.choices import Label
from bert_training.models.reasons import explain

ATTEMPT_FACTS = ("number", "worker", "badge", "why", "started_at", "ended_at", "resumed_from_step", "last_step")


class AttemptWords:
    """How an attempt is shown, in its own list and below its job."""

    @admin.display(description=_("outcome"), ordering="outcome")
    def badge(self, attempt: JobAttempt) -> SafeString:
        """Return the outcome in its colour."""
        return state_badge(attempt.outcome, attempt.get_outcome_display())

    @admin.display(description=_("reason"))
    def why(self, attempt: JobAttempt) -> Label:
        """Return the reason as a sentence."""
        return explain(attempt.reason).sentence if attempt.reason else "-"


class AttemptInline(AttemptWords, FactsInline[JobAttempt, Job]):
    """The history of a job: a handful of rows."""

    model = JobAttempt
    fields = readonly_fields = ATTEMPT_FACTS
    ordering = ("number",)


class ReasonFilter(ListFilter):
    """Attempts that ended for one reason."""

    title = _("reason")
    parameter_name = field = "reason"

    def words(self) -> list[tuple[str, Label]]:
        """List the reasons as sentences."""
        return [(reason.value, explain(reason.value).sentence) for reason in Reason]


class JobAttemptAdmin(AttemptWords, FactsAdmin[JobAttempt]):
    """All attempts, for the question which worker loses its jobs and why."""

    list_display = ("__str__", "run_link", "worker", "badge", "why", "started", "ended", "last_step")
    list_filter = ("outcome", ReasonFilter, "worker")
    list_select_related = ("job__run", "worker")
    search_fields = ("job__run__name", "worker__name", "message")
    date_hierarchy = "started_at"
    ordering = ("-id",)
    fields = ("run_link", *ATTEMPT_FACTS, "message", "instance", "log_seq", "metric_seq")
    readonly_fields = fields

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, attempt: JobAttempt) -> str:
        """Return when the worker took the job."""
        return shown_moment(attempt.started_at)

    @admin.display(description=_("ended"), ordering="ended_at")
    def ended(self, attempt: JobAttempt) -> str:
        """Return when the attempt ended."""
        return shown_moment(attempt.ended_at)

    @admin.display(description=_("run"), ordering="job__run__name")
    def run_link(self, attempt: JobAttempt) -> SafeString:
        """Lead to the run."""
        return link(admin_url(attempt.job.run), attempt.job.run.name)
