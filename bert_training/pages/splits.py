"""How the rows of a run are divided, in words; and the page on which a dataset is given a manifest of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training import access
from bert_training.models import Dataset
from bert_training.models.choices import SPLIT_LABELS
from bert_training.pages.requests import form_page, person
from bert_training.pages.words import Fact
from bert_training.services.division_words import division_sentences, division_warning
from bert_training.services.errors import ServiceError
from bert_training.services.manifests import (
    ManifestFacts,
    ManifestInvalid,
    forget_manifest,
    manifest_of,
    upload_manifest,
)
from bert_training.services.problem_words import shown_problems
from bert_training.services.proving.figure_words import count_text, share_text


@dataclass(frozen=True)
class ShownSplit:
    """A division in words: rows of each split, and what the protection against copies did."""

    rows: list[Fact]
    sentences: list[str]
    warning: str  # what the protection did not cover, "" when it covered all


class ManifestForm(forms.Form):
    """The file that says which row goes where."""

    file = forms.FileField(
        label=gettext_lazy("Manifest"),
        help_text=gettext_lazy(
            "CSV or Excel file with the columns linha (number of the row in the spreadsheet) and conjunto (treino, "
            "validacao, teste or nenhum); with several files also arquivo. Every row needs a line."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.xlsx,.xls,.ods"}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )


def shown_split(facts: Mapping[str, Any]) -> ShownSplit | None:
    """Put the facts of a division into words; None for runs of before these were kept."""
    if not facts:
        return None
    return ShownSplit(rows_of_splits(facts["rows"]), division_sentences(facts), division_warning(facts))


def rows_of_splits(rows: Mapping[str, int]) -> list[Fact]:
    """Return how many rows each split has, with its share of those that take part."""
    total = sum(rows.values()) or 1
    return [
        Fact(str(words), count_text(rows[split]), unit=share_text(rows[split] / total))
        for split, words in SPLIT_LABELS.items()
    ]


@form_page
def edit_manifest(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the manifest of a dataset; take another one, or `action=forget` it."""
    user = person(request)
    find = access.changeable_dataset if request.method == "POST" else access.visible_dataset
    dataset = find(user, pk)
    form, refusal, status = ManifestForm(), None, 200
    if request.method == "POST":
        if request.POST.get("action") == "forget":
            forget_manifest(dataset)
            messages.success(request, _("The manifest was forgotten. New runs are divided by the portal."))
            return redirect("pages:dataset", pk=pk)
        form, status = ManifestForm(request.POST, request.FILES), 422
        refusal = _upload(dataset, form) if form.is_valid() else None
        if form.is_valid() and refusal is None:
            messages.success(request, _("The manifest was saved. New runs are divided by it."))
            return redirect("pages:dataset", pk=pk)
    context = {"dataset": dataset, "form": form, "may_change": access.may_change(user, dataset)}
    if refusal is not None:
        context |= {"problems": shown_problems(refusal.errors), "problem_count": sum(refusal.counts.values())}
    return render(request, "datasets/manifest.html", context | manifest_context(dataset), status=status)


def manifest_context(dataset: Dataset) -> dict[str, Any]:
    """Return what pages say of a dataset's own manifest."""
    found: ManifestFacts | None = manifest_of(dataset)
    if found is None:
        return {}
    return {"manifest": found.manifest, "manifest_rows": rows_of_splits(found.rows), "left_out": found.left_out}


def _upload(dataset: Dataset, form: ManifestForm) -> ManifestInvalid | None:
    """Keep the manifest, or return what is wrong with it."""
    try:
        upload_manifest(dataset, form.cleaned_data["file"])
    except ManifestInvalid as refusal:
        return refusal
    except ServiceError as refusal:
        form.add_error(None, refusal.message)
    return None
