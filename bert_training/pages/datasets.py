"""The list of datasets and the page of one: what is in it, what the check found, which runs stand on it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training import access
from bert_training.contract.enums import DatasetStatus, Role, Split
from bert_training.models import Dataset
from bert_training.models.choices import dataset_status_choices, task_choices
from bert_training.pages.continuation import shown_continuation
from bert_training.pages.dataset_profile import shown_profile
from bert_training.pages.dataset_repair import origin_context, with_repairs
from bert_training.pages.erasures import deletion_details
from bert_training.pages.filters import OwnedFilters, with_all
from bert_training.pages.ownership import has_others, mark_teams
from bert_training.pages.reports import stored_report
from bert_training.pages.requests import form_page, needs, page, page_of, person
from bert_training.pages.runs import listed_runs, rows_for_list
from bert_training.pages.sharing import shares_context
from bert_training.pages.splits import manifest_context
from bert_training.pages.words import Fact
from bert_training.pages.workbooks import workbook_links
from bert_training.services.datasets import delete_dataset
from bert_training.services.errors import DatasetGone, ServiceError, StorageAway
from bert_training.services.proving.figure_words import count_text
from bert_training.services.stored_files import open_original, preview_rows
from bert_training.tasks import TASKS

SHOWN_RUNS = 10
PREVIEW_ROWS = 8
CELL_CHARACTERS = 500
PART_CHARACTERS = 20  # of one that does not exist, said back
USUAL_WAIT = timedelta(seconds=30)  # for a check in the background to begin; it does within a second


class DatasetFilters(OwnedFilters[Dataset]):
    """Which datasets to show."""

    name__icontains = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    task = forms.ChoiceField(label=gettext_lazy("Task"), choices=lambda: with_all(task_choices()))
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=lambda: with_all(dataset_status_choices()))


@page
@needs(Role.READ)
def list_datasets(request: HttpRequest) -> HttpResponse:
    """List the datasets that somebody may see, the newest first."""
    user = person(request)
    filters = DatasetFilters(request.GET, user)
    rows = filters.narrow(access.datasets_listed_for(user))
    # Counted for the rows of the page only; a join would group the whole table.
    runs = access.runs_listed_for(user).filter(dataset=OuterRef("pk")).order_by().values("dataset")
    runs = runs.annotate(total=Count("pk"))
    listed = rows.select_related("owner").defer("summary", "report", "columns")
    listed = listed.annotate(run_count=Coalesce(Subquery(runs.values("total")), 0))
    shown = page_of(request, listed)
    shown.object_list = with_repairs(shown.object_list)
    mark_teams(user, shown.object_list)
    context = {
        "page": shown,
        "filters": filters,
        "is_filtered": filters.is_set,
        "shows_owners": has_others(user, shown.object_list),
    }
    return render(request, "datasets/list.html", context)


@page
def show_dataset(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one dataset; while it is being checked, how far the check is."""
    user = person(request)
    dataset = access.visible_dataset(user, pk)
    context: dict[str, Any] = {
        "dataset": dataset,
        "spec": TASKS.get(dataset.task),
        "may_change": access.may_change(user, dataset),
        "may_use": access.may_use(user, dataset),
        "report": stored_report(dataset),
        "rows_text": count_text(dataset.rows),
        "lengths": _lengths(dataset),
        "runs": listed_runs(user, rows_for_list(access.runs_listed_for(user).filter(dataset=dataset))[:SHOWN_RUNS]),
        "facts": _facts(dataset),
        "check_waits": _check_waits(dataset),
        "workbooks": workbook_links(dataset),
        "continues": shown_continuation(user, dataset),
        **shares_context(user, dataset),
        **manifest_context(dataset),
        **origin_context(user, dataset),
    }
    if dataset.is_ready:
        context["profile"] = shown_profile(dataset)
        try:
            context["preview"] = [_cells(row) for row in preview_rows(dataset, limit=PREVIEW_ROWS)]
        except DatasetGone:
            context["preview_missing"] = _("The stored file is no longer there. Send the spreadsheet again.")
        except StorageAway as away:
            context["preview_missing"] = away.message
    return render(request, "datasets/detail.html", context)


def _check_waits(dataset: Dataset) -> bool:
    """Tell whether a check should have begun by now: the background work may have stopped."""
    age = timezone.now() - dataset.created_at
    return dataset.status == DatasetStatus.CHECKING and not dataset.check_attempts and age > USUAL_WAIT


@page
def download_dataset(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the uploaded bytes as they came: always as an attachment, never opened by the browser.

    ?part= names a file that was sent beside the first.
    """
    dataset = access.visible_dataset(person(request), pk)
    part = request.GET.get("part", Split.TRAIN.value)
    if part not in dataset.files:
        raise Http404(_("The dataset has no file for %(part)s.") % {"part": part[:PART_CHARACTERS]})
    try:
        file = open_original(dataset, Split(part))
    except (DatasetGone, StorageAway) as refusal:
        messages.error(request, refusal.message)
        return redirect("pages:dataset", pk=pk)
    answer = FileResponse(file, as_attachment=True, filename=dataset.files[part]["name"])
    answer["Content-Security-Policy"] = "sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@form_page
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete the dataset with its file."""
    dataset = access.changeable_dataset(person(request), pk)
    if request.method == "POST":
        try:
            erasure = delete_dataset(dataset, by=person(request))
        except ServiceError as refusal:
            messages.error(request, refusal.message)
            return redirect("pages:dataset", pk=pk)
        messages.success(request, _("“%(name)s” was deleted.") % {"name": dataset.name})
        return redirect("pages:erasure", pk=erasure.pk)
    context = {
        "question": _("Delete this dataset?"),
        "subject": dataset.name,
        "explanation": _("The spreadsheet and everything made of it are deleted for good."),
        "details": deletion_details(dataset),
        "verb": _("Delete"),
        "is_destructive": True,
        "back": reverse("pages:dataset", args=[pk]),
    }
    return render(request, "_confirm.html", context)


def _lengths(dataset: Dataset) -> list[Fact]:
    lengths = dataset.summary.get("lengths", {})
    labels = (("median", _("words in a typical row")), ("max", _("words in the longest row")))
    return [Fact(label, count_text(lengths[name])) for name, label in labels if name in lengths]


def _facts(dataset: Dataset) -> list[Fact]:
    columns = ", ".join(f"{name} ← {header}" for name, header in dataset.columns.items() if isinstance(header, str))
    return [
        Fact(_("File"), dataset.original_name),
        Fact(_("Sheet"), dataset.sheet),
        Fact(_("Columns"), columns),
        Fact(_("Owner"), dataset.owner.get_username()),
        Fact(_("SHA-256 of the spreadsheet"), dataset.sha256, is_digest=True),
    ]


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """Return one canonical row as the two columns of the preview: what is read, and what is learned from it."""
    number, text, label, *_steering = (_cell(value) for value in row.values())
    return {"row": number, "text": text, "label": label}


def _cell(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= CELL_CHARACTERS else text[:CELL_CHARACTERS] + " …"
