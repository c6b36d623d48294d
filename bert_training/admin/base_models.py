"""The catalogue of base models: the one list that staff edit by hand."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.base import PortalModelAdmin
from bert_training.admin.facts import shown_size
from bert_training.contract.enums import AuditKind
from bert_training.models import BaseModel
from bert_training.models.choices import task_choices


class BaseModelAdmin(AuditedAdmin[BaseModel], PortalModelAdmin[BaseModel]):
    """An entry that is switched off is no longer offered; runs that used it stay as they are."""

    audit_kinds = AuditKinds(*3 * [AuditKind.BASE_MODEL_CHANGED])
    list_display = ("name", "label", "shown_tasks", "shown_language", "size", "licence", "recommended", "active")
    list_filter = ("active", "recommended", "language")
    search_fields = ("name", "label")
    show_facets = admin.ShowFacets.ALWAYS
    fieldsets = (
        (None, {"fields": ("name", "label", "tasks", "language", "advice", "recommended", "active")}),
        (_("Weights"), {"fields": ("size_bytes", "parameters", "max_length", "licence", "revision", "weights_sha256")}),
    )

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Offer the tasks as boxes to tick instead of as JSON."""
        if db_field.name == "tasks":
            return forms.MultipleChoiceField(
                label=_("tasks"),
                choices=task_choices,
                widget=forms.CheckboxSelectMultiple,
                help_text=db_field.help_text,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("tasks"))
    def shown_tasks(self, entry: BaseModel) -> str:
        """List the tasks in words."""
        words = dict(task_choices())
        return ", ".join(str(words.get(task, task)) for task in entry.tasks)

    @admin.display(description=_("language"), ordering="language")
    def shown_language(self, entry: BaseModel) -> str:
        """Return the language in the reader's words: entries that came with the portal are in English."""
        return gettext(entry.language) if entry.language else "-"

    @admin.display(description=_("size"), ordering="size_bytes")
    def size(self, entry: BaseModel) -> str:
        """Return the download size with its unit."""
        return shown_size(entry.size_bytes)
