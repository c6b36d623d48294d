"""The page of a split: how the examples of each class lie in training, validation and test, as picture and table."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.charts.shapes import Chart
from bert_training.charts.stacks import draw_stacks
from bert_training.contract.enums import Split
from bert_training.models import Dataset, Run
from bert_training.models.choices import SPLIT_LABELS
from bert_training.pages.requests import page, person
from bert_training.pages.splits import shown_split
from bert_training.services.errors import ServiceError
from bert_training.services.split_classes import SplitClasses, classes_of_dataset, classes_of_run

CHART = "classes"
SHOWN_CLASSES = 40  # bars of the picture; the table has them all
NAMED_CLASSES = 10


@page
def show_run_split(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the split of a run by class."""
    run = access.visible_run(person(request), pk)
    return _show(request, run, lambda: classes_of_run(run), below="run-split-chart", back="run")


@page
def show_dataset_split(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how a new run with the usual settings would divide a dataset."""
    dataset = access.visible_dataset(person(request), pk)
    return _show(request, dataset, lambda: classes_of_dataset(dataset), below="dataset-split-chart", back="dataset")


@page
def save_run_chart(request: HttpRequest, pk: int, name: str, form: ChartForm) -> HttpResponse:
    """Send the picture of a run's split, or its figures."""
    run = access.visible_run(person(request), pk)
    return _save(request, name, form, lambda: classes_of_run(run), of=run.name)


@page
def save_dataset_chart(request: HttpRequest, pk: int, name: str, form: ChartForm) -> HttpResponse:
    """Send the picture of a dataset's split, or its figures."""
    dataset = access.visible_dataset(person(request), pk)
    return _save(request, name, form, lambda: classes_of_dataset(dataset), of=dataset.name)


def _show(
    request: HttpRequest, row: Run | Dataset, count: Callable[[], SplitClasses], *, below: str, back: str
) -> HttpResponse:
    try:
        found = count()
    except ServiceError as refusal:
        messages.error(request, refusal.message)
        return redirect(f"pages:{back}", pk=row.pk)
    context: dict[str, Any] = {
        "row": row,
        "back": reverse(f"pages:{back}", args=[row.pk]),
        "is_run": isinstance(row, Run),
        "chart": _chart(found),
        "split": shown_split(found.facts),
        "warnings": _warnings(found),
        "hidden_classes": max(0, len(found.counts) - SHOWN_CLASSES),
        "picture": reverse(f"pages:{below}-svg", args=[row.pk, CHART]),
        "figures": reverse(f"pages:{below}-csv", args=[row.pk, CHART]),
    }
    return render(request, "datasets/split.html", context)


def _save(
    request: HttpRequest, name: str, form: ChartForm, count: Callable[[], SplitClasses], *, of: str
) -> HttpResponse:
    if name != CHART:
        raise Http404
    try:
        found = count()
    except ServiceError as refusal:
        raise Http404(refusal.message) from refusal
    return send_chart(request, _chart(found), form, of=of)


def _chart(found: SplitClasses) -> Chart:
    stacks = {name: [counts[split] for split in Split] for name, counts in found.counts.items()}
    legend = [str(SPLIT_LABELS[split]) for split in Split]
    return draw_stacks(
        CHART, _("Examples of each class by split"), legend, stacks, head=_("Class"), shown=SHOWN_CLASSES
    )


def _warnings(found: SplitClasses) -> list[str]:
    """Name the classes that cannot be learned, or not be judged."""
    words = {
        Split.TRAIN: _("Without an example for training, and so never recognised: %(names)s."),
        Split.VALIDATION: _("Without an example in validation, so that the best network is chosen without: %(names)s."),
        Split.TEST: _("Without an example in the test, and so without a figure: %(names)s."),
    }
    return [
        sentence % {"names": _named(missing)}
        for split, sentence in words.items()
        if (missing := found.missing_in(split))
    ]


def _named(names: list[str]) -> str:
    rest = len(names) - NAMED_CLASSES
    shown = ", ".join(names[:NAMED_CLASSES])
    return _("%(names)s and %(count)s others") % {"names": shown, "count": rest} if rest > 0 else shown
