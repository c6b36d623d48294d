"""The scales by which figures are called excellent, good, fair or low; a change grades older runs anew."""

from itertools import pairwise
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.base import PortalModelAdmin
from bert_training.admin.facts import shown_figure
from bert_training.contract.enums import AuditKind
from bert_training.models import GradeScale
from bert_training.services.proving.listed_results import judge_later
from bert_training.tasks import TASKS

STEPS = ("excellent", "good", "fair")  # downward


class GradeScaleForm(forms.ModelForm):  # type: ignore[type-arg]  # takes parameters only in the stubs
    """Offers the figures that tasks report, and refuses steps that do not go downward."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "metric" in self.fields:
            self.fields["metric"] = forms.ChoiceField(label=_("figure"), choices=graded_metrics)

    def clean(self) -> dict[str, Any]:
        """Compare each step to the one above it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = [(name, cleaned[name]) for name in STEPS if cleaned.get(name) is not None]
        for (upper, above), (lower, below) in pairwise(given):
            if below > above:
                labels = {"lower": self.fields[lower].label, "upper": self.fields[upper].label}
                self.add_error(lower, ValidationError(_("“%(lower)s” must not be above “%(upper)s”.") % labels))
        return cleaned


class GradeScaleAdmin(AuditedAdmin[GradeScale], PortalModelAdmin[GradeScale]):
    """A figure without a scale has no grade: runs that it decides are at best used with review."""

    audit_kinds = AuditKinds(*3 * [AuditKind.GRADES_CHANGED])
    form = GradeScaleForm
    list_display = ("metric", "shown_metric", "excellent", "good", "fair")
    search_fields = ("metric",)
    add_label = _("Add a scale of grades")
    fields = ("metric", *STEPS)

    def get_readonly_fields(self, request: HttpRequest, obj: GradeScale | None = None) -> tuple[str, ...]:
        """Let a scale stay with its figure."""
        return ("metric",) if obj else ()

    def construct_change_message(
        self, request: HttpRequest, form: forms.Form, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Note in the history from which value to which each step went."""
        told: list[dict[str, Any]] = super().construct_change_message(request, form, formsets, add)
        if not add and form.changed_data:
            told[0]["changed"]["fields"] = [_change(form, name) for name in form.changed_data]
        return told

    def save_model(self, request: HttpRequest, obj: GradeScale, form: Any, change: bool) -> None:
        """Have lists follow a changed scale."""
        super().save_model(request, obj, form, change)
        judge_later()

    def delete_model(self, request: HttpRequest, obj: GradeScale) -> None:
        """Have lists follow."""
        super().delete_model(request, obj)
        judge_later()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[GradeScale]) -> None:
        """Have lists follow."""
        super().delete_queryset(request, queryset)
        judge_later()

    @admin.display(description=_("meaning"))
    def shown_metric(self, scale: GradeScale) -> str:
        """Name the figure as pages do."""
        return dict(graded_metrics()).get(scale.metric, "-")


def graded_metrics() -> list[tuple[str, str]]:
    """List the figures that a scale can be for: those of which more is better."""
    found: dict[str, list[str]] = {}
    for spec in TASKS.values():
        for metric in spec.metrics:
            if metric.higher_is_better and gettext(metric.label) not in found.setdefault(metric.name, []):
                found[metric.name].append(gettext(metric.label))
    return [(name, " / ".join(labels)) for name, labels in found.items()]


def _change(form: forms.Form, name: str) -> str:
    before, after = shown_figure(form.initial.get(name)), shown_figure(form.cleaned_data.get(name))
    return f"{form.fields[name].label}: {before} \u2192 {after}"
