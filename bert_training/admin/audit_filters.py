"""How the list of audit events is narrowed: by kind from a menu, by person, worker and row by links in it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bert_training.models import AuditEvent
from bert_training.models.audit_words import AUDIT_LABELS, audit_kind_choices

# What an address may narrow the list by; the audit names those that an export was narrowed by.
PARAMETERS = frozenset({"q", "kind", "person", "worker", "target", "at__gte", "at__lt"})


class KindFilter(admin.SimpleListFilter):
    """The kinds are known; reading them from the table would scan it."""

    title = _("event")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """List all kinds."""
        return audit_kind_choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Keep the events of one kind."""
        return queryset.filter(kind=self.value()) if self.value() in AUDIT_LABELS else queryset


class ChosenFilter(admin.SimpleListFilter):
    """A filter that a link in the list sets: it shows what was chosen and how to be rid of it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """List the one that is chosen."""
        chosen = request.GET.get(self.parameter_name or "", "")
        return [(chosen, chosen)] if self.condition(chosen) is not None else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Keep the events about what was chosen."""
        return queryset.filter(self.condition(self.value() or "") or Q())

    def condition(self, chosen: str) -> Q | None:
        """Return what an address asks for, None where it is not understood."""
        raise NotImplementedError


class PersonFilter(ChosenFilter):
    """?person=5"""

    title = _("number of the person")
    parameter_name = "person"

    def condition(self, chosen: str) -> Q | None:
        """Read the number of a person."""
        return Q(actor_id=int(chosen)) if is_row_number(chosen) else None


class WorkerFilter(ChosenFilter):
    """?worker=5"""

    title = _("number of the computer")
    parameter_name = "worker"

    def condition(self, chosen: str) -> Q | None:
        """Read the number of a worker."""
        return Q(worker_id=int(chosen)) if is_row_number(chosen) else None


class TargetFilter(ChosenFilter):
    """?target=run:5, or all of a kind: ?target=run"""

    title = _("row")
    parameter_name = "target"

    def condition(self, chosen: str) -> Q | None:
        """Read kind and number of a row."""
        kind, _colon, number = chosen.partition(":")
        if not (kind.isascii() and kind.isalpha()):
            return None
        if not number:
            return Q(target_kind=kind)
        return Q(target_kind=kind, target_id=int(number)) if is_row_number(number) else None


def is_row_number(text: str) -> bool:
    """Tell whether a text is the number of a row."""
    return text.isascii() and text.isdecimal() and len(text) < 19
