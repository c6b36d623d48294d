"""Model admins whose rows staff edit by hand: what was added, changed or deleted goes into the audit, field by field.

Of a text only the field's name is kept; of a flag or figure the values before and after; of a list the numbers of the
rows that came and went.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from bert_training.admin.base import GenericModelAdmin, Row
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record


class AuditKinds(NamedTuple):
    """What it is called to add, change and delete a row."""

    added: AuditKind
    changed: AuditKind
    deleted: AuditKind


class AuditedAdmin(GenericModelAdmin[Row]):
    """Stands before the other bases of a model admin."""

    audit_kinds: AuditKinds

    def save_related(self, request: HttpRequest, form: "ModelForm[Row]", formsets: Iterable[Any], change: bool) -> None:
        """Note the change once the row and its lists are written, in the same transaction."""
        super().save_related(request, form, formsets, change)
        if not change:
            record(self.audit_kinds.added, target=form.instance, did="added", **changes_of(form))
        elif form.changed_data:
            record(self.audit_kinds.changed, target=form.instance, did="changed", **changes_of(form))

    def delete_model(self, request: HttpRequest, obj: Row) -> None:
        """Note and delete one row."""
        record(self.audit_kinds.deleted, target=obj, did="deleted")
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Row]) -> None:
        """Note and delete the chosen rows."""
        for row in queryset:
            record(self.audit_kinds.deleted, target=row, did="deleted")
        super().delete_queryset(request, queryset)


def changes_of(form: "ModelForm[Any]") -> dict[str, Any]:
    """Return what a form changed, without a text of anybody's."""
    facts: dict[str, Any] = {"fields": list(form.changed_data)}
    for name in form.changed_data:
        facts |= _change_of(name, form.initial.get(name), form.cleaned_data.get(name))
    return facts


def _change_of(name: str, before: Any, after: Any) -> dict[str, Any]:
    if _is_list_of_rows(after):
        old, new = _numbers_of(before), _numbers_of(after)
        lists = {f"{name}_added": sorted(new - old), f"{name}_removed": sorted(old - new)}
        return {fact: numbers for fact, numbers in lists.items() if numbers}
    return {f"{name}_before": _number_of(before), f"{name}_after": _number_of(after)}  # None is left out


def _is_list_of_rows(value: Any) -> bool:
    return isinstance(value, QuerySet) or (isinstance(value, list) and all(isinstance(row, Model) for row in value))


def _numbers_of(rows: Iterable[Any] | None) -> set[int]:
    return {number for number in map(_number_of, rows or ()) if number is not None}


def _number_of(value: Any) -> Any:
    """Return a figure as it is, a row by its number, of anything else nothing."""
    if isinstance(value, Model):
        return value.pk
    return value if isinstance(value, bool | int | float) else None
