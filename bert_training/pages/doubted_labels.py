"""The page of a run's doubted labels: which rows of the spreadsheet somebody should look at again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training import access
from bert_training.contract.enums import Split
from bert_training.data.proof.shape import LabelErrors, Suspect
from bert_training.models import Run, RunProof
from bert_training.models.choices import SPLIT_LABELS
from bert_training.pages.filters import ListFilters, with_all
from bert_training.pages.requests import page, page_of, person
from bert_training.pages.row_texts import SHORT_CHARACTERS, TEXT_CHARACTERS, cut, row_values
from bert_training.pages.words import Fact
from bert_training.pages.workbooks import is_pending, send_workbook
from bert_training.services.answers.answer_words import plain_text
from bert_training.services.doubting.doubt_workbooks import files_of, name_of_doubts
from bert_training.services.doubting.doubted_labels import (
    NO_ENTITY,
    doubt_text,
    doubted_labels,
    frequent_pairs,
    is_cut,
    label_text,
    narrow,
    source_sentence,
    suggestion_text,
)
from bert_training.services.errors import DatasetNotReady, ServiceError
from bert_training.services.profile_words import row_names
from bert_training.services.proving.figure_words import count_text, share_text
from bert_training.services.stored_workbooks import open_workbook

SHOWN_PAIRS = 8
PART_CHARACTERS = 20  # of one that does not exist, said back


class DoubtFilters(ListFilters[RunProof]):
    """Which doubted labels to show."""

    split = forms.ChoiceField(label=gettext_lazy("Split"))
    given = forms.ChoiceField(label=gettext_lazy("In the spreadsheet"))
    suggested = forms.ChoiceField(label=gettext_lazy("Suggested"))

    def __init__(self, data: Any, suspects: Sequence[Suspect]) -> None:
        super().__init__(data)
        found = {each["split"] for each in suspects}
        splits = [(split, label) for split, label in SPLIT_LABELS.items() if split in found]
        self._offer("split", splits)
        self._offer("given", _labels({each["given"] for each in suspects}))
        self._offer("suggested", _labels({each["suggested"] for each in suspects}))

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = with_all(choices)


@dataclass(frozen=True)
class ShownDoubt:
    """A doubted label. short, text: of the row, "" where it cannot be shown; both the same for a short one."""

    row: str
    split: str
    given: str
    suggested: str
    word: str
    share: str
    short: str
    text: str


@dataclass(frozen=True)
class ShownPair:
    """A label that is often doubted in favour of another, and the address of the list of those rows."""

    given: str
    suggested: str
    count: str
    query: str


@dataclass(frozen=True)
class ShownFile:
    """A file of the dataset that comes back with the doubts. is_pending: its workbook is being made."""

    part: str
    label: str
    is_pending: bool


@page
def list_doubted_labels(request: HttpRequest, pk: int) -> HttpResponse:
    """List the rows whose label is doubted, the most doubtful first."""
    user = person(request)
    run = access.visible_run(user, pk)
    found = _doubts(run)
    suspects = found["suspects"]
    filters = DoubtFilters(request.GET, suspects)
    listed = page_of(request, narrow(suspects, **filters.chosen()))
    sees_texts = access.may_see_texts(user, run)
    values, notice = row_values(user, run, {each["row"] for each in listed})
    texts = {row: plain_text(value) for row, value in values.items()}
    context = {
        "run": run,
        "page": listed,
        "shown": [_shown(each, texts) for each in listed],
        "notice": notice,
        "has_texts": bool(texts),
        "files": _files(run, found["source"]) if sees_texts else [],
        "filters": filters,
        "is_filtered": filters.is_set,
        "source": source_sentence(found),
        "counts": [
            Fact(str(label), count_text(found["counts"][split]))
            for split, label in SPLIT_LABELS.items()
            if split in found["counts"]
        ],
        "is_cut": is_cut(suspects),
        "judged": count_text(found["judged"]),
        "pairs": [_pair(*each) for each in frequent_pairs(suspects, SHOWN_PAIRS)],
    }
    return render(request, "runs/doubted_labels.html", context)


@page
def download_doubted_labels(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the user's own file with the doubts beside its rows. ?part= names a file that was sent beside the first."""
    user = person(request)
    run = access.visible_run(user, pk)
    access.visible_dataset(user, run.dataset_id)
    part = request.GET.get("part", Split.TRAIN.value)
    if part not in run.dataset.files:
        raise Http404(_("The dataset has no file for %(part)s.") % {"part": part[:PART_CHARACTERS]})
    try:
        name = name_of_doubts(run, Split(part), _doubts(run)["source"])
        return send_workbook(open_workbook(name, run.dataset))
    except DatasetNotReady:
        messages.info(request, _("The file is large: its workbook is being made. It will be offered here."))
    except ServiceError as refusal:
        messages.error(request, refusal.message)
    return redirect("pages:run-label-errors", pk=pk)


def _doubts(run: Run) -> LabelErrors:
    found = doubted_labels(run)
    if found is None:
        raise Http404(_("Nobody has looked for doubtful labels in this run."))
    return found


def _labels(names: set[str]) -> list[tuple[str, str]]:
    return [(name or NO_ENTITY, label_text(name)) for name in sorted(names)]


def _files(run: Run, source: str) -> list[ShownFile]:
    """Return the files of the dataset; one alone needs no label."""
    parts = files_of(run.dataset)
    labels = [str(SPLIT_LABELS[part]) if len(parts) > 1 else "" for part in parts]
    return [
        ShownFile(part.value, label, is_pending(name_of_doubts(run, part, source), run.dataset))
        for part, label in zip(parts, labels, strict=True)
    ]


def _shown(suspect: Suspect, texts: Mapping[int, str]) -> ShownDoubt:
    text = texts.get(suspect["row"], "")
    return ShownDoubt(
        row=row_names([suspect["row"]]),
        split=str(SPLIT_LABELS.get(suspect["split"], suspect["split"])),
        given=label_text(suspect["given"]),
        suggested=suggestion_text(suspect["given"], suspect["suggested"]),
        word=doubt_text(suspect["doubt"]),
        share=share_text(suspect["doubt"]),
        short=cut(text, SHORT_CHARACTERS),
        text=cut(text, TEXT_CHARACTERS),
    )


def _pair(given: str, suggested: str, count: int) -> ShownPair:
    query = urlencode({"given": given or NO_ENTITY, "suggested": suggested or NO_ENTITY})
    return ShownPair(label_text(given), suggestion_text(given, suggested), count_text(count), query)
