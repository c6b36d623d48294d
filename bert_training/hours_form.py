"""The form of a worker's hours that pages and admin share: some windows of the week, none = at any time."""

from collections.abc import Iterator, Sequence
from datetime import time
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from bert_training.services.worker_hours import MOST_WINDOWS, Window

NUMBERS = range(1, MOST_WINDOWS + 1)


class Row(NamedTuple):
    """The fields of one window."""

    number: int
    days: BoundField
    clocks: tuple[BoundField, BoundField]


class HoursForm(forms.Form):
    """Days, beginning and end of each window. A window whose fields are all empty is none."""

    def __init__(self, *args: Any, windows: Sequence[Window] = (), **kwargs: Any) -> None:
        """windows: those to begin with."""
        super().__init__(*args, **kwargs)
        for number in NUMBERS:
            window = windows[number - 1] if number <= len(windows) else None
            self.fields[f"days_{number}"] = _days_field(number, window)
            self.fields[f"begin_{number}"] = _clock_field(_("From"), window.begin if window else None)
            self.fields[f"end_{number}"] = _clock_field(_("Until"), window.end if window else None)

    def rows(self) -> Iterator[Row]:
        """Return the fields window by window."""
        for number in NUMBERS:
            yield Row(number, self[f"days_{number}"], (self[f"begin_{number}"], self[f"end_{number}"]))

    def clean(self) -> dict[str, Any]:
        """Refuse a window that is half filled in."""
        cleaned = super().clean() or {}
        for number in NUMBERS:
            names = [f"{part}_{number}" for part in ("days", "begin", "end")]
            missing = [name for name in names if name not in self.errors and cleaned.get(name) in (None, [], "")]
            if missing and len(missing) < len(names):
                self.add_error(missing[0], _("Fill in days, beginning and end of this window, or leave all empty."))
        return cleaned

    def windows(self) -> list[Window]:
        """Return the windows that were filled in."""
        found = [[self.cleaned_data[f"{part}_{number}"] for part in ("days", "begin", "end")] for number in NUMBERS]
        return [Window(frozenset(map(int, days)), begin, end) for days, begin, end in found if days]


def _days_field(number: int, window: Window | None) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Days of window %(number)s") % {"number": number},
        choices=list(WEEKDAYS.items()),
        required=False,
        initial=sorted(window.days) if window else [],
        widget=forms.CheckboxSelectMultiple,
    )


def _clock_field(label: Any, initial: time | None) -> forms.TimeField:
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    return forms.TimeField(label=label, required=False, initial=initial, widget=widget)
