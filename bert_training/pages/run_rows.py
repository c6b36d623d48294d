"""The rows of a result: what the network answered for each, errors first, narrowed by the address, saved as a file."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Page
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training import access
from bert_training.models import Run
from bert_training.pages.requests import page, page_of, person
from bert_training.pages.row_filters import LabelFilters, RowFilters, SentenceFilters
from bert_training.pages.row_texts import row_values
from bert_training.pages.shown_rows import shown_labels, shown_sentences
from bert_training.pages.words import Fact
from bert_training.services.answers.answer_csv import open_rows_csv
from bert_training.services.answers.row_lists import Asked, RowList, Show, find_rows, lists_sentences
from bert_training.services.answers.same_rows import have_same_table
from bert_training.services.doubting.doubted_labels import doubted_labels
from bert_training.services.errors import ServiceError
from bert_training.services.proving.figure_words import count_text, share_text
from bert_training.services.proving.predictions import label_names


@page
def list_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """List the rows that the address asks for, a page at a time."""
    user = person(request)
    run = access.visible_run(user, pk)
    filters = _filters(request, run)
    asked = filters.asked(_other_run(user, run, filters))
    context: dict[str, Any] = {"run": run, "filters": filters, "is_filtered": filters.is_set, "asked": asked}
    try:
        found = find_rows(run, asked)
    except ServiceError as refusal:
        return render(request, "runs/rows.html", {**context, "refusal": refusal.message})
    listed = page_of(request, found.places)
    values, notice = row_values(user, run, found.numbers(list(listed)))
    context |= {
        "page": listed,
        "notice": notice,
        "has_texts": bool(values),
        "facts": _facts(found),
        "other_sentence": _other_sentence(asked),
        "has_doubts": doubted_labels(run) is not None,
        **_shown(run, found, listed, values),
    }
    return render(request, "runs/rows.html", context)


@page
def download_rows(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send all rows that the address asks for as CSV, with their texts for who may see them."""
    user = person(request)
    run = access.visible_run(user, pk)
    filters = _filters(request, run)
    asked = filters.asked(_other_run(user, run, filters))
    try:
        found = find_rows(run, asked)
        file = open_rows_csv(run, asked.split, found, has_texts=access.may_see_texts(user, run))
    except ServiceError as refusal:
        messages.error(request, refusal.message)
        return redirect("pages:run-rows", pk=pk)
    name = f"{run.name} - {asked.split.value}.csv"
    answer = FileResponse(file, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    answer["Cache-Control"] = "no-store"
    return answer


def _filters(request: HttpRequest, run: Run) -> RowFilters:
    form = SentenceFilters if lists_sentences(run) else LabelFilters
    return form(request.GET, label_names(run))


def _other_run(user: User, run: Run, filters: RowFilters) -> Run | None:
    """Return the run against which rows are chosen; raises Http404 where it may not be seen or has other rows."""
    pk = filters.chosen().get("against")
    if pk is None:
        return None
    other = access.visible_run(user, pk)
    if not have_same_table(run, other):
        raise Http404(_("Run %(id)s has other rows than this one.") % {"id": pk})
    return other


def _facts(found: RowList) -> list[Fact]:
    """Say how many rows there are, how many of them are wrong, and how many of them are listed."""
    wrong = f"{count_text(found.wrong)} ({share_text(found.wrong / found.total)})" if found.total else count_text(0)
    return [
        Fact(ngettext("row answered", "rows answered", found.total), count_text(found.total)),
        Fact(_("of them wrong"), wrong),
        Fact(_("listed below"), count_text(len(found.places)), is_first=True),
    ]


def _other_sentence(asked: Asked) -> str:
    """Say by which other run the rows are chosen."""
    if asked.against is None:
        return ""
    words = {
        Show.RIGHT: _("Only rows that “%(run)s” answered right."),
        Show.WRONG: _("Only rows that “%(run)s” answered wrong."),
        Show.ALL: _("Only rows that “%(run)s” answered too."),
    }
    return words[asked.other] % {"run": asked.against.name}


def _shown(run: Run, found: RowList, listed: Page[Any], values: Any) -> dict[str, Any]:
    if lists_sentences(run):
        return {"sentences": shown_sentences(found.sentences(list(listed)), values) if found.total else []}
    return {"labels": shown_labels(found.labels(list(listed)), values) if found.total else []}
