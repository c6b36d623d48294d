"""The form field that says which columns of a stranger's file are one column of the task: the first, then those joined.

Selects once the file's columns are known, text fields before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

HEADER_CHARACTERS = 300
JOINED_COLUMNS = 20


class HeaderSelects(forms.Widget):
    """One control for each column that may be joined, all of one name; what was sent is kept in its order."""

    template_name = "widgets/header_selects.html"

    def __init__(self, *, places: int = 1) -> None:
        super().__init__()
        self.places = places
        self.headers: Sequence[str] = ()
        self.suggested: Sequence[str] = ()
        self.chosen: Sequence[str] | None = None
        self.found = ""

    def show(
        self, headers: Sequence[str], *, chosen: Sequence[str], suggested: Sequence[str] = (), found: str = ""
    ) -> None:
        """Offer a file's columns. chosen: of these.  suggested: marked as such.  found: taken when none is chosen."""
        self.headers, self.chosen, self.suggested, self.found = headers, chosen, suggested, found

    def value_from_datadict(self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str) -> list[str]:
        """Return everything that was sent under the name."""
        return data.getlist(name) if isinstance(data, MultiValueDict) else list(data.get(name, ()))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Lay out the controls: those that have a value, and empty ones up to `places`."""
        context = super().get_context(name, None, attrs)
        chosen = [header for header in value or () if header] if self.chosen is None else list(self.chosen)
        shown = max(len(chosen), self.places if self.headers else 1)
        context["widget"] |= {
            "chosen": chosen + [""] * (shown - len(chosen)),
            "headers": self.headers,
            "suggested": self.suggested,
            "found": self.found,
        }
        return context


class HeadersField(forms.Field):
    """The headers of a file that are one column of the task, in the order in which they are joined."""

    widget: HeaderSelects

    def __init__(self, *, label: str, help_text: str, places: int = 1) -> None:
        super().__init__(required=False, label=label, help_text=help_text, widget=HeaderSelects(places=places))
        self._header = forms.CharField(max_length=HEADER_CHARACTERS, required=False)

    def clean(self, value: list[str]) -> list[str]:
        """Return the headers that were named."""
        if len(value) > JOINED_COLUMNS:
            raise ValidationError(_("At most %(limit)d columns can be joined.") % {"limit": JOINED_COLUMNS})
        return [header for header in map(self._header.clean, value) if header]
