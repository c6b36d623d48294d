"""Filters of a list: all optional; a value that makes no sense is ignored, so an old address still opens."""

from typing import Any, Generic, TypeVar

from django import forms
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from bert_training.models.choices import Label
from bert_training.pages.ownership import only_whose, whose_choices

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
        """Keep the rows that fit all filters."""
        for name, value in self.chosen().items():
            rows = self.keep(rows, name, value)
        return rows

    def keep(self, rows: QuerySet[Row], name: str, value: Any) -> QuerySet[Row]:
        """Keep the rows that fit one filter: its name is a lookup, unless a list knows better."""
        return rows.filter(**{name: value})


class OwnedFilters(ListFilters[Row]):
    """Filters of rows that have owners: whose they are can be chosen by who sees rows of others."""

    whose = forms.ChoiceField(label=_("Whose"))

    def __init__(self, data: Any, user: User) -> None:
        super().__init__(data)
        self.user = user
        offered = whose_choices(user)
        if offered:
            whose: Any = self.fields.pop("whose")  # behind the filters of the list's own
            whose.choices = with_all(offered)
            self.fields["whose"] = whose
        else:
            del self.fields["whose"]

    def keep(self, rows: QuerySet[Row], name: str, value: Any) -> QuerySet[Row]:
        """Keep the rows of the chosen owners."""
        return only_whose(rows, self.user, value) if name == "whose" else super().keep(rows, name, value)
