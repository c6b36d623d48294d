"""The forms of access tokens that pages and admin share: what a new one may do and how long, how the old one ends."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import TokenScope

DAYS = 90
MOST_DAYS = 365
DAYS_BEFORE_WARNING = 14

SCOPES = [
    (TokenScope.READ.value, _("read only: see, download, follow")),
    (TokenScope.RUN.value, _("read and run: also upload, start, cancel, reproduce")),
    (TokenScope.MANAGE.value, _("read, run and manage: also rename, share, change, delete")),
]
OVERLAPS = [
    ("0", _("ends at once")),
    ("1", _("is valid for 1 more hour")),
    ("24", _("is valid for 24 more hours")),
    ("168", _("is valid for 7 more days")),
]


def days_field(*, required: bool = True, most: int = MOST_DAYS, initial: int | None = DAYS) -> forms.IntegerField:
    """Ask for how many days a token is valid; where it may be left empty, that is until it is revoked."""
    help_text = _("How long it is valid.") if required else _("How long it is valid; empty = until it is revoked.")
    return forms.IntegerField(
        label=_("Days"),
        initial=initial,
        min_value=1,
        max_value=most,
        required=required,
        help_text=help_text,
    )


class TokenForm(forms.Form):
    """What a token is for, what it may do, how long."""

    label = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What it is for, for example the name of the integration.")
    )
    scope = forms.ChoiceField(
        label=_("Scope"),
        choices=SCOPES,
        initial=TokenScope.READ.value,
        help_text=_("Choose no more than the program needs. A token never does more than its holder may."),
    )
    days = days_field()


class RotationForm(forms.Form):
    """How long the old token stays valid beside the new one, and how long the new one is."""

    overlap = forms.TypedChoiceField(
        label=_("The old token"),
        choices=OVERLAPS,
        coerce=lambda hours: timedelta(hours=int(hours)),
        initial="24",
        help_text=_("Time to give the new token to the program. At once if somebody else may know the old one."),
    )
    days = days_field()

    def __init__(self, *args: Any, days: forms.IntegerField | None = None, **kwargs: Any) -> None:
        """days: another field in place of the usual one."""
        super().__init__(*args, **kwargs)
        if days is not None:
            self.fields["days"] = days
