"""The filters of the list of runs; the address holds them, so that a list can be kept and sent."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bert_training import access
from bert_training.models import BaseModel, Dataset, Run
from bert_training.models.choices import Label, status_choices, task_choices
from bert_training.models.run_tag import TAG_CHARACTERS
from bert_training.pages.filters import OwnedFilters, with_all
from bert_training.pages.requests import number_of
from bert_training.pages.run_columns import COLUMNS
from bert_training.services.proving.verdict_words import VERDICT_LABELS
from bert_training.services.run_marks import tag_name

ARCHIVED, WITH_ARCHIVED = "only", "with"
ALWAYS = ("search", "status", "verdict", "tag", "whose")  # the others fold away while they are not used
NUMBER_SIGNS = "#nº "  # before the number of a run


def archived_choices() -> list[tuple[str, Label]]:
    """List what can be asked for of the archive."""
    return [("", _("without the archive")), (ARCHIVED, _("only the archive")), (WITH_ARCHIVED, _("all"))]


def verdict_choices() -> list[tuple[str, Label]]:
    """List what may be said of a model."""
    return [(verdict.value, label) for verdict, label in VERDICT_LABELS.items()]


def base_model_choices() -> list[tuple[str, Label]]:
    """List the base models of the catalogue."""
    return with_all([(name, name) for name in BaseModel.objects.order_by("name").values_list("name", flat=True)])


class DayInput(forms.DateInput):
    """A calendar, where a browser has one."""

    input_type = "date"


class DayField(forms.DateField):
    """A day as browsers send it, the same in every language."""

    FORMAT = "%Y-%m-%d"
    FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)  # so that no time zone leads out of the calendar

    def __init__(self, *, label: Any) -> None:
        judges = [MinValueValidator(self.FIRST), MaxValueValidator(self.LAST)]
        widget = DayInput(format=self.FORMAT)
        super().__init__(label=label, widget=widget, input_formats=[self.FORMAT], validators=judges)


class RunFilters(OwnedFilters[Run]):
    """Which runs to show."""

    search = forms.CharField(label=_("Name, data, note or number"), max_length=200)
    status = forms.ChoiceField(label=_("Status"), choices=lambda: with_all(status_choices()))
    verdict = forms.ChoiceField(label=_("Verdict"), choices=lambda: with_all(verdict_choices()))
    tag = forms.CharField(label=_("Tag"), max_length=TAG_CHARACTERS)
    task = forms.ChoiceField(label=_("Task"), choices=lambda: with_all(task_choices()))
    base_model = forms.ChoiceField(label=_("Base model"))
    owner = forms.ModelChoiceField(label=_("Owner"), queryset=User.objects.none(), empty_label=_("all"))
    since = DayField(label=_("Created from"))
    until = DayField(label=_("Created until"))
    archived = forms.ChoiceField(label=_("Archived runs"), choices=archived_choices)
    dataset = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)

    def __init__(self, data: Any, user: User) -> None:
        super().__init__(data, user)
        self.fields["base_model"].choices = base_model_choices()  # type: ignore[attr-defined]
        if access.may_administer(user):
            owners = User.objects.filter(Exists(Run.objects.filter(owner=OuterRef("pk"))))
            self.fields["owner"].queryset = owners.order_by("username")  # type: ignore[attr-defined]
        else:
            del self.fields["owner"]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """The filters that are always seen."""
        return [self[name] for name in ALWAYS if name in self.fields]

    @property
    def further_fields(self) -> list[forms.BoundField]:
        """The filters that fold away."""
        return [field for field in self.visible_fields() if field.name not in ALWAYS]

    @property
    def is_open(self) -> bool:
        """Tell whether a filter is set that would be folded away."""
        chosen = self.chosen()
        return any(field.name in chosen for field in self.further_fields)

    @property
    def shows_archive(self) -> bool:
        """Tell whether only the archive is shown: its runs can be taken back."""
        return self.chosen().get("archived") == ARCHIVED

    @property
    def dataset_name(self) -> str:
        """The name of the dataset whose runs alone are shown; empty without one, or where it is not seen."""
        pk = self.chosen().get("dataset")
        named = Dataset.objects.none() if pk is None else access.datasets_visible_to(self.user).filter(pk=pk)
        return named.values_list("name", flat=True).first() or ""

    def narrow(self, rows: QuerySet[Run]) -> QuerySet[Run]:
        """Keep the rows that fit; those in the archive only where they are asked for."""
        if "archived" not in self.chosen():
            rows = rows.filter(archived_at=None)
        return super().narrow(rows)

    def keep(self, rows: QuerySet[Run], name: str, value: Any) -> QuerySet[Run]:
        """Keep the runs that fit one filter."""
        match name:
            case "search":
                return rows.filter(_found(value))
            case "tag":
                return rows.filter(tags__name=tag_name(value))
            case "since":
                return rows.filter(created_at__gte=_begin_of(value))
            case "until":
                return rows.filter(created_at__lt=_begin_of(value + timedelta(days=1)))
            case "archived":
                return rows.exclude(archived_at=None) if value == ARCHIVED else rows
            case _:
                return super().keep(rows, name, value)


class ColumnsForm(forms.Form):
    """Which columns the list has; none chosen = the usual ones."""

    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(column.name, column.label) for column in COLUMNS],
    )

    def chosen(self) -> list[str]:
        """Return the chosen columns that there are."""
        names: list[str] = [] if not self.is_valid() else self.cleaned_data["columns"]
        return names


def _found(words: str) -> Q:
    """Search names and notes, and the number of a run.

    Names of datasets by a list of those that fit: a join looked at each name once for each of its runs. Where none
    fits they are left out: PostgreSQL takes a list that it does not know for half of all rows, and plans for these.
    """
    found = Q(name__icontains=words) | Q(notes__icontains=words)
    datasets = Dataset.objects.filter(name__icontains=words)
    if datasets.exists():
        found |= Q(dataset__in=datasets.values("pk"))
    number = number_of(words.lstrip(NUMBER_SIGNS))
    return found if number is None else found | Q(pk=number)


def _begin_of(day: date) -> datetime:
    """Return when a day begins where the portal stands."""
    return timezone.make_aware(datetime.combine(day, time.min))
