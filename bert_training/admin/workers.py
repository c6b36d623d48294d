"""The PCs that train: register one and show its token once, switch it off, let it finish, give it a new token."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from bert_training.access import workers_visible_to
from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.badges import ago, token_badge, worker_badge
from bert_training.admin.base import FactsInline, PortalModelAdmin, admin_url, link
from bert_training.admin.facts import facts_table
from bert_training.admin.running import running_job, with_running_job
from bert_training.admin.token_page import NewToken, show_token_once
from bert_training.admin.tokens import MOST_DAYS
from bert_training.admin.worker_hours import hours_page
from bert_training.contract.enums import AuditKind
from bert_training.contract.tokens import shown_prefix
from bert_training.models import AccessToken, Worker
from bert_training.services.errors import ServiceError
from bert_training.services.tokens import rotate_worker_token
from bert_training.services.worker_hours import hours_text
from bert_training.services.workers import pause_worker, register_worker, set_worker_active, set_worker_draining
from bert_training.token_form import RotationForm, days_field

WORDS = ("name", "description", "team")
FACTS = (
    "badge",
    "active",
    "draining",
    "paused_at",
    "shown_hours",
    "seen",
    "instance",
    "shown_hardware",
    "shown_versions",
    "shown_tasks",
    "clock_skew_seconds",
    "created_at",
)


class RegistrationForm(forms.Form):
    """Name and description of a new worker."""

    name = forms.CharField(label=_("name"), max_length=100, help_text=_("For example the name of the PC."))
    description = forms.CharField(
        label=_("description"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Where it stands, which GPU it has, whom to ask."),
    )
    days = days_field(required=False, most=MOST_DAYS, initial=None)


class TokenInline(FactsInline[AccessToken, Worker]):
    """The worker's tokens, by their first characters only."""

    model = AccessToken
    fields = readonly_fields = ("prefix", "badge", "created_at", "last_used_at", "expires_at", "revoked_at")
    show_change_link = False

    @admin.display(description=_("state"))
    def badge(self, token: AccessToken) -> SafeString:
        """Return whether the token still opens the door."""
        return token_badge(token)


class WorkerAdmin(AuditedAdmin[Worker], PortalModelAdmin[Worker]):
    """A worker is never deleted, its attempts name it; it is switched off."""

    audit_kinds = AuditKinds(*3 * [AuditKind.WORKER_CHANGED])  # they are registered by a service and never deleted
    add_label = _("Register a computer")
    list_display = ("name", "badge", "seen", "current_run", "description", "team", "active")
    list_filter = ("active", "draining", "state", "team")
    list_select_related = ("team",)
    search_fields = ("name", "description")
    show_facets = admin.ShowFacets.ALWAYS
    fields = (*WORDS, *FACTS)
    readonly_fields = FACTS
    inlines = (TokenInline,)
    actions = ("activate", "deactivate", "drain", "pause", "stop_draining", "change_hours", "rotate_token")
    row_actions = actions

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        """Ask access.py; each worker comes with the job that it runs."""
        return with_running_job(workers_visible_to(request.user))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that rotate a token and change the hours."""
        rotate, hours = self.admin_site.admin_view(self.rotate_view), self.admin_site.admin_view(self.hours_view)
        return [
            path("<int:pk>/rotate-token/", rotate, name="bert_training_worker_rotate_token"),
            path("<int:pk>/hours/", hours, name="bert_training_worker_hours"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Worker | None = None) -> bool:
        """Workers stay, switched off, for the history of the runs."""
        return False

    @sensitive_variables("worker")
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for name and description, register, show the token."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RegistrationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                worker = register_worker(**form.cleaned_data)
            except ServiceError as refusal:
                form.add_error("name", refusal.message)
            else:
                row = Worker.objects.get(pk=worker.id)
                self.log_addition(request, row, gettext("Registered."))
                return self._show_token(request, row, worker.token)
        return self._show_form(request, form)

    @sensitive_variables("token")
    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask how long the old token stays valid, then make a new one and show it."""
        worker = self._changeable(request, pk)
        form = RotationForm(request.POST or None, days=days_field(required=False, most=MOST_DAYS, initial=None))
        if request.method == "POST" and form.is_valid():
            token = rotate_worker_token(worker, **form.cleaned_data)
            self.log_change(request, worker, gettext("Token rotated."))
            return self._show_token(request, worker, token)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Give %(worker)s a new token?") % {"worker": worker.name},
            "opts": self.opts,
            "form": form,
            "submit_label": gettext("Make a new token"),
            "note": gettext("The new token is shown on the next page, once. A run in training goes on with either."),
        }
        return TemplateResponse(request, "admin/bert_training/form.html", context)

    def hours_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask in which hours a worker takes jobs, and keep them."""
        return hours_page(self, request, self._changeable(request, pk))

    def _changeable(self, request: HttpRequest, pk: int) -> Worker:
        worker = self.get_queryset(request).filter(pk=pk).first()
        if worker is None:
            raise Http404
        if not self.has_change_permission(request, worker):
            raise PermissionDenied
        return worker

    def save_model(self, request: HttpRequest, obj: Worker, form: "ModelForm[Worker]", change: bool) -> None:
        """Write the words about a worker; what it reports about itself is not overwritten with an older state."""
        obj.save(update_fields=WORDS)

    def row_actions_for(self, row: Worker) -> Iterable[str]:
        """Offer the other position of each switch."""
        if not row.active:
            return ["activate", "change_hours", "rotate_token"]
        rest = [] if row.paused_at else ["pause"]
        return ["stop_draining" if row.draining else "drain", *rest, "deactivate", "change_hours", "rotate_token"]

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        """Let the chosen workers in again."""
        self.perform(request, queryset, act=lambda row: set_worker_active(row, True), history=gettext("Activated."))

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        """Shut the chosen workers out; their jobs go to others."""
        self.perform(request, queryset, act=lambda row: set_worker_active(row, False), history=gettext("Deactivated."))

    @admin.action(description=_("Drain: finish the job, then take no more"), permissions=["change"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        """Let the chosen workers finish and claim no more."""
        self.perform(request, queryset, act=lambda row: set_worker_draining(row, True), history=gettext("Draining."))

    @admin.action(description=_("Pause now: hand the job back at the next checkpoint"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        """Let the chosen workers hand their jobs back and claim no more; the jobs wait for them."""
        self.perform(request, queryset, act=pause_worker, history=gettext("Paused."))

    @admin.action(description=_("End draining"), permissions=["change"])
    def stop_draining(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        """Let the chosen workers claim again."""
        done = gettext("Draining ended.")
        self.perform(request, queryset, act=lambda row: set_worker_draining(row, False), history=done)

    @admin.action(description=_("Hours"), permissions=["change"])
    def change_hours(self, request: HttpRequest, queryset: QuerySet[Worker]) -> HttpResponse | None:
        """Lead to the page of a worker's hours."""
        refusal = gettext("Choose one worker: its hours have a page of their own.")
        return _lead_to("bert_training_worker_hours", request, queryset, refusal)

    @admin.action(description=_("New token"), permissions=["change"])
    def rotate_token(self, request: HttpRequest, queryset: QuerySet[Worker]) -> HttpResponse | None:
        """Lead to the page that asks first; a token page is for one worker."""
        refusal = gettext("Choose one computer: its new token is shown once, on a page of its own.")
        return _lead_to("bert_training_worker_rotate_token", request, queryset, refusal)

    @admin.display(description=_("state"), ordering="last_seen_at")
    def badge(self, worker: Worker) -> SafeString:
        """Return whether it is online, and what it does."""
        return worker_badge(worker)

    @admin.display(description=_("last seen"), ordering="last_seen_at")
    def seen(self, worker: Worker) -> str:
        """Return how long ago it was heard of."""
        return ago(worker.last_seen_at)

    @admin.display(description=_("trains"))
    def current_run(self, worker: Worker) -> SafeString | str:
        """Lead to the run that it trains."""
        job = running_job(worker)
        return link(admin_url(job.run), job.run.name) if job else "-"

    @admin.display(description=_("takes jobs"))
    def shown_hours(self, worker: Worker) -> str:
        """Return in which hours it claims."""
        return hours_text(worker)

    @admin.display(description=_("hardware"))
    def shown_hardware(self, worker: Worker) -> SafeString:
        """Return what it reported of its hardware."""
        return facts_table(worker.hardware)

    @admin.display(description=_("versions"))
    def shown_versions(self, worker: Worker) -> SafeString:
        """Return the versions of its libraries."""
        return facts_table(worker.versions)

    @admin.display(description=_("tasks"))
    def shown_tasks(self, worker: Worker) -> str:
        """List what it can train."""
        return ", ".join(worker.tasks) or "-"

    def _show_form(self, request: HttpRequest, form: RegistrationForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Register a computer"),
            "opts": self.opts,
            "form": form,
            "submit_label": gettext("Register and show the token"),
            "note": gettext("The token is shown on the next page, once. Have the PC at hand, or a place to keep it."),
        }
        return TemplateResponse(request, "admin/bert_training/form.html", context)

    @sensitive_variables()
    def _show_token(self, request: HttpRequest, worker: Worker, text: str) -> HttpResponse:
        token = NewToken(text, prefix=shown_prefix(text), holder=worker.name, back=admin_url(worker), is_worker=True)
        title = gettext("Token of %(worker)s") % {"worker": worker.name}
        return show_token_once(request, self.admin_site, token=token, title=title)


def _lead_to(page: str, request: HttpRequest, queryset: QuerySet[Worker], refusal: str) -> HttpResponse | None:
    """Lead from an action to the page of the one worker that was chosen; refuse for several."""
    workers = list(queryset[:2])
    if len(workers) != 1:
        messages.error(request, refusal)
        return None
    return HttpResponseRedirect(reverse(f"admin:{page}", args=[workers[0].pk]))
