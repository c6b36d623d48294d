"""The two forms by which staff create a run: which data, then everything else."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.facts import shown_size
from bert_training.admin.widgets import NamedAutocomplete
from bert_training.contract.enums import DatasetStatus
from bert_training.models import BaseModel, Dataset, Run
from bert_training.run_form import HyperparametersForm
from bert_training.tasks import TASKS

PRIORITY_LIMIT = 1000
MODELS_OFFERED = 50  # trained models to begin from, the newest


class DatasetForm(forms.Form):
    """First step: which data."""

    def __init__(self, site: AdminSite, visible: QuerySet[Dataset], *args: Any) -> None:
        super().__init__(*args)
        widget = NamedAutocomplete(Run._meta.get_field("dataset"), site)
        ready = visible.filter(status=DatasetStatus.READY)
        self.fields["dataset"] = forms.ModelChoiceField(label=_("dataset"), queryset=ready, widget=widget)


class RunForm(HyperparametersForm):
    """Second step: base model, place in the queue, and the hyperparameters of the dataset's task."""

    name = forms.CharField(label=_("name"), max_length=200, required=False, help_text=_("Empty = data and base model."))
    priority = forms.IntegerField(
        label=_("priority"),
        initial=0,
        min_value=-PRIORITY_LIMIT,
        max_value=PRIORITY_LIMIT,
        help_text=_("Higher goes first."),
    )
    simulate = forms.BooleanField(
        label=_("simulation"),
        required=False,
        help_text=_("Only for computers whose program was started with --dry-run: plays through without training."),
    )

    initial_run = forms.ModelChoiceField(
        Run.objects.none(),
        label=_("begins from"),
        required=False,
        empty_label=_("the base model as it is"),
        help_text=_("The model of a completed run learns on; the run waits for the computer that keeps it."),
    )

    def __init__(self, dataset: Dataset, trained: QuerySet[Run], *args: Any, **kwargs: Any) -> None:
        super().__init__(TASKS[dataset.task].hyperparameters, *args, **kwargs)
        self._offer_models(trained)
        self.offered = BaseModel.objects.offered_for(dataset.task)
        offers = [(entry.name, _offer(entry)) for entry in self.offered]
        self.fields["base_model"] = forms.ChoiceField(label=_("base model"), choices=offers)

    def run_fields(self) -> list[BoundField]:
        """Return the fields that are no hyperparameters."""
        return [self[name] for name in ("name", "base_model", "initial_run", "priority", "simulate")]

    def _offer_models(self, trained: QuerySet[Run]) -> None:
        """Offer the newest trained models by number and base model."""
        field: Any = self.fields["initial_run"]
        field.queryset = trained
        newest = trained.values_list("pk", "name", "base_model")[:MODELS_OFFERED]
        field.choices = [("", field.empty_label), *((pk, f"{pk} · {name} ({base})") for pk, name, base in newest)]


def _offer(entry: BaseModel) -> str:
    mark = gettext(" (recommended)") if entry.recommended else ""
    return f"{entry.label}, {shown_size(entry.size_bytes)}{mark}"
