"""The first page: what runs now and what came of the latest runs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bert_training import access
from bert_training.contract.enums import TERMINAL_STATUSES
from bert_training.pages.requests import page, person
from bert_training.pages.runs import rows_for_list, with_headlines
from bert_training.pages.words import computers

SHOWN_RUNS = 8


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Show what is active, then the latest results; to a newcomer the three steps."""
    runs = rows_for_list(access.runs_listed_for(person(request)))
    ended = runs.filter(status__in=TERMINAL_STATUSES).order_by("-finished_at")[:SHOWN_RUNS]
    active = list(runs.exclude(status__in=TERMINAL_STATUSES)[:SHOWN_RUNS])
    ended_runs = with_headlines(ended)
    context = {
        "active_runs": active,
        "ended_runs": ended_runs,
        "has_runs": bool(active or ended_runs),
        "workers_sentence": computers().sentence,
    }
    return render(request, "home/home.html", context)
