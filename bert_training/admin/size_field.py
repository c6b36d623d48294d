"""A size as people write it: "2 GB", "1,5 GB", "500 MB"; digits alone are bytes. Units as on the account page."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

UNITS = ("B", "KB", "MB", "GB", "TB")
STEP = 1024  # as filesizeformat, which writes sizes on pages
LARGEST = 2**60
FORM = re.compile(r"(\d{1,19})(?:[.,](\d{1,3}))?\s*([kmgt]?b|bytes?)?", re.IGNORECASE)


class SizeField(forms.Field):
    """Reads and shows a number of bytes. Empty is None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": forms.TextInput(attrs={"class": "vTextField"}), **kwargs})

    def to_python(self, value: Any) -> Any:
        """Return the bytes."""
        text = str(value or "").strip()
        if not text:
            return None
        size = size_of(text)
        if size is None:
            raise ValidationError(_("Write a size such as 2 GB or 500 MB."))
        return size

    def prepare_value(self, value: Any) -> Any:
        """Write a size with its unit, where that says it exactly."""
        if not isinstance(value, int):
            return value
        text = str(filesizeformat(value)).replace("\xa0", " ")
        return text if size_of(text) == value else str(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the sizes, not how they are written."""
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def size_of(text: str) -> int | None:
    """Return how many bytes a text means; None where it says no size."""
    found = FORM.fullmatch(text.replace("\xa0", " "))
    if found is None:
        return None
    whole, decimals, unit = found.groups()
    place = UNITS.index(unit.upper()) if unit and unit.upper() in UNITS else 0
    size = int(Decimal(f"{whole}.{decimals or 0}") * STEP**place)
    return size if size <= LARGEST else None
