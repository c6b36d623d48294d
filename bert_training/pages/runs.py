"""The list of runs: filters, order and columns in the address, one page at a time, a constant number of queries."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bert_training import access
from bert_training.contract.enums import Role
from bert_training.models import Run
from bert_training.pages.keyset import keyset_page, sorting_of
from bert_training.pages.ownership import has_others, mark_teams
from bert_training.pages.requests import needs, page, person
from bert_training.pages.run_columns import NAME, ORDERS, head_of, shown_columns
from bert_training.pages.run_filters import ColumnsForm, RunFilters
from bert_training.pages.run_list_file import LISTED_IN_FILE, write_list
from bert_training.pages.words import headline
from bert_training.services.phases import duration_text
from bert_training.services.proving.verdict_words import VERDICT_LABELS
from bert_training.services.proving.verdicts import Verdict

# Large or unused in a list: a result may hold a thousand classes.
NOT_IN_LISTS = ("result", "hyperparameters", "reproducibility", "error_message")


@page
@needs(Role.READ)
def list_runs(request: HttpRequest) -> HttpResponse:
    """List the runs that somebody may see, the newest first unless another order is asked for."""
    user = person(request)
    filters, sorting, columns = RunFilters(request.GET, user), sorting_of(request.GET, ORDERS), ColumnsForm(request.GET)
    rows = filters.narrow(rows_for_list(access.runs_listed_for(user)))
    shown = keyset_page(rows.prefetch_related("tags"), sorting.order, request.GET)
    shown.object_list = listed_runs(user, shown.object_list)
    chosen = columns.chosen()
    heads = shown_columns(chosen, has_others=has_others(user, shown.object_list))
    context = {
        "page": shown,
        "filters": filters,
        "is_filtered": filters.is_set,
        "shows_archive": filters.shows_archive,
        "sorting": sorting,
        "columns": columns,
        "columns_are_chosen": bool(chosen),
        "shown_columns": [column.name for column in heads],
        "name_head": head_of(NAME, sorting),
        "heads": [head_of(column, sorting) for column in heads],
        "listed_in_file": LISTED_IN_FILE,
    }
    return render(request, "runs/list.html", context)


@page
@needs(Role.READ)
def download_runs(request: HttpRequest) -> HttpResponse:
    """Download the list as it is filtered and sorted, with every column."""
    user = person(request)
    rows = RunFilters(request.GET, user).narrow(rows_for_list(access.runs_listed_for(user)))
    order = sorting_of(request.GET, ORDERS).order
    found = rows.prefetch_related("tags").order_by(*order.columns)[:LISTED_IN_FILE]
    return write_list(listed_runs(user, found))


def rows_for_list(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Load what a list shows: of the result its deciding figure, which stands in columns of its own."""
    return runs.select_related("dataset", "owner", "job").defer(*NOT_IN_LISTS)


def listed_runs(user: User, runs: Iterable[Run]) -> list[Run]:
    """Give each run what a list shows beside its fields: headline, teams, and whether its data can be opened.

    headline: the figure that picks the best network, in words.
    """
    listed = list(runs)
    opened = access.datasets_visible_to(user).filter(pk__in={run.dataset_id for run in listed})
    visible = set(opened.values_list("pk", flat=True))
    for run in listed:
        facts: Any = run
        facts.headline = headline(run)
        facts.verdict_label = VERDICT_LABELS[Verdict(run.verdict)] if run.verdict else ""
        facts.duration = duration_text(run.duration_seconds) if run.duration_seconds else ""
        facts.opens_data = run.dataset_id in visible
    mark_teams(user, listed)
    return listed
