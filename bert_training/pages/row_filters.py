"""Filters of the list of rows of a result: what the address asks for, with the usual choice where it says nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import Split
from bert_training.models import Run, RunProof
from bert_training.models.choices import SPLIT_LABELS, Label
from bert_training.pages.filters import ListFilters, with_all
from bert_training.run_form import DecimalNumberField, WholeNumberField
from bert_training.services.answers.answer_words import (
    FATE_LABELS,
    ORDER_LABELS,
    SENTENCE_ORDER_LABELS,
    SHOW_LABELS,
)
from bert_training.services.answers.row_lists import Asked, Show
from bert_training.services.doubting.doubted_labels import NO_ENTITY

Choices = list[tuple[str, Label]]
SPLITS: Choices = [(split, SPLIT_LABELS[split]) for split in (Split.TEST, Split.VALIDATION)]
RIGHT = "right"
NAME_CHARACTERS = 200


class RowFilters(ListFilters[RunProof]):
    """What lists of labels and of sentences have in common. against, other: rows by how another run answered them."""

    split = forms.ChoiceField(label=_("Split"), choices=SPLITS)
    show = forms.ChoiceField(label=_("Show"), choices=list(SHOW_LABELS.items()))
    row = WholeNumberField(label=_("Row"))
    against = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    other = forms.ChoiceField(widget=forms.HiddenInput, choices=list(SHOW_LABELS.items()))

    def __init__(self, data: QueryDict) -> None:
        asked = data.copy()
        for name, usual in {"split": Split.TEST.value, "show": _usual_show(data).value}.items():
            if not asked.get(name):
                asked[name] = usual
        super().__init__(asked)
        self._has_own = any(data.get(name) for name in self.fields)

    @property
    def is_set(self) -> bool:
        """Tell whether anybody has chosen anything."""
        return self._has_own

    def asked(self, against: Run | None) -> Asked:
        """Return what is asked for. against: the other run, where the address names one that may be seen."""
        chosen = self.chosen()
        return Asked(
            split=Split(chosen.get("split", Split.TEST)),
            show=Show(chosen.get("show", Show.WRONG)),
            given=chosen.get("given", ""),
            answered=chosen.get("answered", ""),
            low=_share(chosen.get("low")),
            high=_share(chosen.get("high")),
            row=chosen.get("row"),
            order=chosen.get("sort", ""),
            error=chosen.get("error", ""),
            kind=chosen.get("kind", ""),
            against=against,
            other=Show(chosen.get("other", Show.ALL)),
        )

    def _offer(self, name: str, choices: Sequence[tuple[str, Label]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = with_all(list(choices))


class LabelFilters(RowFilters):
    """Which rows of a classifier to show."""

    given = forms.ChoiceField(label=_("In the spreadsheet"))
    answered = forms.ChoiceField(label=_("Answer of the model"))
    low = DecimalNumberField(label=_("Confidence from, in %"))
    high = DecimalNumberField(label=_("Confidence to, in %"))
    sort = forms.ChoiceField(label=_("Order"), choices=list(ORDER_LABELS.items()))
    field_order = ("split", "show", "given", "answered", "low", "high", "row", "sort")

    def __init__(self, data: QueryDict, names: Sequence[str]) -> None:
        super().__init__(data)
        for field in ("given", "answered"):
            self._offer(field, [(name, name) for name in sorted(names)])


class SentenceFilters(RowFilters):
    """Which sentences of a tagger to show. given, answered: a cell of the confusion, NO_ENTITY for none."""

    kind = forms.ChoiceField(label=_("Entity type"))
    error = forms.ChoiceField(label=_("What became of it"), choices=with_all(list(FATE_LABELS.items())))
    given = forms.ChoiceField(label=_("In the spreadsheet"))
    answered = forms.ChoiceField(label=_("Answer of the model"))
    sort = forms.ChoiceField(label=_("Order"), choices=list(SENTENCE_ORDER_LABELS.items()))
    field_order = ("split", "show", "kind", "error", "given", "answered", "row", "sort")

    def __init__(self, data: QueryDict, names: Sequence[str]) -> None:
        super().__init__(data)
        types: Choices = [(name, name) for name in sorted(names)]
        self._offer("kind", types)
        for field in ("given", "answered"):
            self._offer(field, [*types, (NO_ENTITY, _("no entity"))])


def _usual_show(asked: Mapping[str, Any]) -> Show:
    """Return which rows are shown unless somebody chooses: errors, but all of one cell of the confusion."""
    is_cell = bool(asked.get("given") and asked.get("answered"))
    return Show.ALL if is_cell or asked.get("error") == RIGHT else Show.WRONG


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
