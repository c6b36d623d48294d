"""Filters of a list: all optional; a value that makes no sense is ignored, so an old address still opens."""

from typing import Any, Generic, TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from bert_training.models.choices import Label

Row = TypeVar("Row", bound=Model)


def with_all(choices: list[tuple[str, Label]]) -> list[tuple[str, Label]]:
    """Put "all" before the choices."""
    return [("", _("all")), *choices]


class ListFilters(forms.Form, Generic[Row]):
    """Base of the filters of one list; `narrow` applies them."""

    use_required_attribute = False

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        for field in self.fields.values():
            field.required = False

    def chosen(self) -> dict[str, Any]:
        """Return the filters that are set and make sense."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    @property
    def is_set(self) -> bool:
        """Tell whether anything is filtered out."""
        return bool(self.chosen())

    def narrow(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """Keep the rows that fit."""
        return rows.filter(**self.chosen())
