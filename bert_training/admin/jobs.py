"""The training queue: what waits in which order, what runs where. Priority and turn change while a job waits."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.attempts import AttemptInline
from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.badges import ago, badge, state_badge
from bert_training.admin.base import ListFilter, PortalModelAdmin, admin_url, link
from bert_training.contract.enums import AuditKind, JobStatus
from bert_training.models import Job
from bert_training.models.choices import Label, task_choices
from bert_training.services.jobs import lock_job
from bert_training.services.runs import cancel_run, finish_run

ORDER_FIELDS = ("priority", "turn")
FACTS = (
    "run_link",
    "status_badge",
    "worker",
    "keeper",
    "attempt",
    "phase",
    "epoch",
    "step",
    "total_steps",
    "checkpoint_step",
    "lease_until",
    "created_at",
    "queued_at",
    "started_at",
    "finished_at",
    "cancel_requested_at",
    "finish_requested_at",
)


class TaskFilter(ListFilter):
    """Jobs of one task, by the name that people read."""

    title = _("task")
    parameter_name = field = "task"

    def words(self) -> list[tuple[str, Label]]:
        """List the tasks."""
        return task_choices()


class JobAdmin(AuditedAdmin[Job], PortalModelAdmin[Job]):
    """Jobs come with their run and go with it; here they are put into another order, canceled or finished."""

    audit_kinds = AuditKinds(*3 * [AuditKind.QUEUE_REORDERED])

    list_display = (
        "id",
        "run_link",
        "status_badge",
        "priority",
        "turn",
        "owner",
        "worker",
        "shown_progress",
        "waiting",
    )
    list_filter = ("status", TaskFilter, "simulate", "worker")
    list_select_related = ("run__owner", "worker")
    search_fields = ("run__name", "run__owner__username", "worker__name")
    show_facets = admin.ShowFacets.ALWAYS
    date_hierarchy = "created_at"
    fields = (*ORDER_FIELDS, *FACTS)
    inlines = (AttemptInline,)
    actions = ("cancel", "finish")
    row_actions = ("cancel", "finish")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Jobs come with runs."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Jobs go with runs."""
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        """Lock the row before a change, so that no worker claims the job between the check and the write."""
        if request.method == "POST" and object_id.isascii() and object_id.isdecimal():
            lock_job(int(object_id))
        return super().get_object(request, object_id, from_field)

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> tuple[str, ...]:
        """Open priority and turn while the job waits; afterwards everything is a fact."""
        is_waiting = obj is not None and obj.status == JobStatus.QUEUED
        return FACTS if is_waiting else (*ORDER_FIELDS, *FACTS)

    def save_model(self, request: HttpRequest, obj: Job, form: "ModelForm[Job]", change: bool) -> None:
        """Write the place in the queue and nothing else."""
        obj.save(update_fields=ORDER_FIELDS)

    def row_actions_for(self, row: Job) -> Iterable[str]:
        """Offer to end what has not ended."""
        return [] if row.is_finished else self.row_actions

    @admin.action(description=_("Cancel"), permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Cancel the runs of the chosen jobs."""
        jobs = queryset.select_related("run")
        self.perform(request, jobs, act=lambda job: cancel_run(job.run), history=gettext("Canceled."))

    @admin.action(description=_("Finish now, keep the best so far"), permissions=["change"])
    def finish(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Let the chosen jobs end early with their best checkpoint."""
        jobs = queryset.select_related("run")
        self.perform(request, jobs, act=lambda job: finish_run(job.run), history=gettext("Asked to finish early."))

    @admin.display(description=_("run"), ordering="run__name")
    def run_link(self, job: Job) -> SafeString:
        """Lead to the run."""
        return link(admin_url(job.run), job.run.name)

    @admin.display(description=_("status"), ordering="status")
    def status_badge(self, job: Job) -> SafeString:
        """Return the state in its colour."""
        return (
            badge("warning", gettext("canceling"))
            if job.is_canceling
            else state_badge(job.status, job.get_status_display())
        )

    @admin.display(description=_("owner"), ordering="run__owner__username")
    def owner(self, job: Job) -> str:
        """Return whose turn it is."""
        return job.run.owner.get_username()

    @admin.display(description=_("only on"))
    def keeper(self, job: Job) -> SafeString | str:
        """Lead to the one worker that can begin it, for it keeps the model to begin from."""
        return link(admin_url(job.bound_to), job.bound_to.name) if job.bound_to else "-"

    @admin.display(description=_("progress"))
    def shown_progress(self, job: Job) -> str:
        """Return the step of how many, once known."""
        return f"{job.step} / {job.total_steps}" if job.total_steps else "-"

    @admin.display(description=_("in the queue since"), ordering="queued_at")
    def waiting(self, job: Job) -> str:
        """Return how long a queued job has waited."""
        return ago(job.queued_at) if job.status == JobStatus.QUEUED else "-"
