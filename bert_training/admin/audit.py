"""The audit, to be read, narrowed and taken home; never added to by hand, changed or deleted."""

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import DateFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.audit_filters import PARAMETERS, KindFilter, PersonFilter, TargetFilter, WorkerFilter
from bert_training.admin.badges import badge
from bert_training.admin.base import FactsAdmin, admin_url, link, list_url
from bert_training.admin.facts import facts_table
from bert_training.admin.row_audit import facts_in_one_line, shown_second
from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, Worker
from bert_training.services.audit_export import ExportForm, export_audit
from bert_training.streamed import sent_in

TARGET_APPS = ("bert_training", "auth")
CONTENT_TYPES = {ExportForm.CSV: "text/csv", ExportForm.JSON_LINES: "application/x-ndjson"}
REFUSED = frozenset(
    {
        AuditKind.SIGN_IN_FAILED,
        AuditKind.LOCKED_OUT,
        AuditKind.ACCESS_DENIED,
        AuditKind.TOKEN_REFUSED,
        AuditKind.RATE_LIMITED,
    }
)
SHOWN = (
    "time",
    "what",
    "person",
    "computer",
    "token_prefix",
    "target",
    "facts_table",
    "request_id",
    "address",
)


class AuditEventAdmin(FactsAdmin[AuditEvent]):
    """Newest first by key, no count beyond what is paged: the table only grows."""

    list_display = ("time", "what", "who", "target", "short_facts", "request", "address")
    list_filter = (("at", DateFieldListFilter), PersonFilter, WorkerFilter, TargetFilter, KindFilter)
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 100
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("request_id",)
    search_help_text = _("The number of a request, or the exact name of a person or computer.")
    fields = readonly_fields = SHOWN

    def get_urls(self) -> list[URLPattern]:
        """Add the two ways to take it home."""
        view = self.admin_site.admin_view(self.export_view)
        names = [(form, f"bert_training_auditevent_{form.name.lower()}") for form in ExportForm]
        exports = [path(f"audit.{form}", view, {"form": form}, name=name) for form, name in names]
        return [*exports, *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Find by what has an index, never by a part of a word: the table may hold millions."""
        term = search_term.strip()
        if not term:
            return queryset, False
        people = User.objects.filter(username=term).values("pk")
        workers = Worker.objects.filter(name=term).values("pk")
        return queryset.filter(Q(request_id=term) | Q(actor_id__in=people) | Q(worker_id__in=workers)), False

    def export_view(self, request: HttpRequest, form: ExportForm) -> HttpResponseBase:
        """Send what the list shows, all its pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            events = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("admin:bert_training_auditevent_changelist")
        pieces = export_audit(events, form, filters=sorted(PARAMETERS & request.GET.keys()))
        kind = f"{CONTENT_TYPES[form]}; charset=utf-8"
        response = StreamingHttpResponse(sent_in(request, pieces), content_type=kind)
        name = f"audit-{timezone.now():%Y%m%d-%H%M%S}.{form}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response

    @admin.display(description=_("time"))
    def time(self, event: AuditEvent) -> str:
        """Return day and time to the second."""
        return shown_second(event.at)

    @admin.display(description=_("event"))
    def what(self, event: AuditEvent) -> SafeString:
        """Return what happened; a refusal in another colour."""
        return badge("warning" if event.kind in REFUSED else "neutral", event.get_kind_display())

    @admin.display(description=_("who"))
    def who(self, event: AuditEvent) -> SafeString | str:
        """Lead to everything that this person or worker did."""
        return self.computer(event) if event.actor_id is None else self.person(event)

    @admin.display(description=_("person"))
    def person(self, event: AuditEvent) -> SafeString | str:
        """Lead to everything that this person did."""
        return _narrowed("person", event.actor_id, event.actor_name) if event.actor_id else "-"

    @admin.display(description=_("computer"))
    def computer(self, event: AuditEvent) -> SafeString | str:
        """Lead to everything that this worker did."""
        return _narrowed("worker", event.worker_id, event.worker_name) if event.worker_id else "-"

    @admin.display(description=_("row"))
    def target(self, event: AuditEvent) -> SafeString | str:
        """Lead to everything that was done to this row."""
        if not event.target_kind:
            return "-"
        model = _model_of(event.target_kind)
        name = str(model._meta.verbose_name) if model else event.target_kind
        return _narrowed("target", f"{event.target_kind}:{event.target_id}", f"{name} {event.target_id}")

    @admin.display(description=_("facts"))
    def short_facts(self, event: AuditEvent) -> str:
        """Return the facts in one line."""
        return facts_in_one_line(event)

    @admin.display(description=_("facts"))
    def facts_table(self, event: AuditEvent) -> SafeString:
        """Return the facts one below the other."""
        return facts_table(event.facts)

    @admin.display(description=_("request"))
    def request(self, event: AuditEvent) -> SafeString | str:
        """Lead to everything that was done by the same request."""
        if not event.request_id:
            return "-"
        return link(f"{list_url(AuditEvent)}?q={event.request_id}", event.request_id[:8])

    def row_links(self, row: AuditEvent) -> list[tuple[str, str]]:
        """Lead to the row that it is about, as long as it is there."""
        model = _model_of(row.target_kind)
        there = model._default_manager.filter(pk=row.target_id).first() if model and row.target_id else None
        try:
            return [(admin_url(there), gettext("Open the row"))] if there else []
        except NoReverseMatch:  # a kind of row without a page of its own
            return []


def _narrowed(name: str, value: object, words: str) -> SafeString:
    return link(f"{reverse('admin:bert_training_auditevent_changelist')}?{name}={value}", words)


def _model_of(kind: str) -> type[Model] | None:
    for app in TARGET_APPS:
        if kind and kind in apps.all_models[app]:
            return apps.get_model(app, kind)
    return None
