"""Quotas in the admin: exceptions of people and limits of teams, each beside what is used now."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Field
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.base import PortalModelAdmin
from bert_training.admin.facts import facts_table
from bert_training.admin.size_field import SizeField
from bert_training.contract.enums import AuditKind, QuotaKind
from bert_training.models import Quota
from bert_training.services.quota_words import amount_text, shown_holders
from bert_training.services.quotas import Use, uses_of, uses_of_team

HELP = _("Empty: what the settings say for everybody; for a team, no limit. 0 allows nothing.")


class QuotaAdmin(AuditedAdmin[Quota], PortalModelAdmin[Quota]):
    """Staff say here who may have more or less than everybody, and what a team may have as a whole."""

    audit_kinds = AuditKinds(AuditKind.QUOTA_CHANGED, AuditKind.QUOTA_CHANGED, AuditKind.QUOTA_CHANGED)
    list_display = ("__str__", "user", "team", "datasets", "storage", "queued_runs", "gpu_minutes")
    list_select_related = ("user", "team")
    search_fields = ("user__username", "team__name")
    fieldsets = (
        (None, {"fields": ("user", "team")}),
        (_("Limits"), {"fields": [kind.value for kind in QuotaKind], "description": HELP}),
        (_("Used now"), {"fields": ("used_now",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Quota | None = None) -> tuple[str, ...]:
        """Keep the holder of a quota as it was made."""
        return ("user", "team", "used_now") if obj else ("used_now",)

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Let the storage be written as people write sizes."""
        if db_field.name == QuotaKind.STORAGE_BYTES:
            help_text = format_lazy("{} {}", db_field.help_text, _("For example 2 GB or 500 MB."))
            return SizeField(label=_("Storage"), required=False, help_text=help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("Storage"), ordering="storage_bytes")
    def storage(self, quota: Quota) -> str:
        """Return the size with its unit."""
        limit = quota.limit(QuotaKind.STORAGE_BYTES)
        return "-" if limit is None else amount_text(QuotaKind.STORAGE_BYTES, limit)

    @admin.display(description=_("Used now"))
    def used_now(self, quota: Quota) -> SafeString | str:
        """Return what the person or the team has of each quota."""
        if quota.team is not None:
            return use_table(uses_of_team(quota.team))
        return use_of_person(quota.user) if quota.user is not None else "-"


def use_of_person(user: User) -> SafeString:
    """Return a table of what a person alone has of each quota, for the page of that person."""
    return use_table(use for use in uses_of(user) if not use.holder.is_team)


def use_table(uses: Iterable[Use]) -> SafeString:
    """Return what one person or team has of each quota."""
    shown = shown_holders(uses)[0].uses
    return facts_table({use.label: f"{use.text} ({use.note})" if use.note else use.text for use in shown})
