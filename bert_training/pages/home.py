"""The first page: what runs now and what came of the latest runs.

Operators who see no runs find queue and computers; who has no role is told whom to ask.
"""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bert_training import access
from bert_training.contract.enums import TERMINAL_STATUSES, JobStatus
from bert_training.models import Job
from bert_training.pages.ownership import has_others
from bert_training.pages.queue import entries
from bert_training.pages.requests import page, person
from bert_training.pages.runs import listed_runs, rows_for_list
from bert_training.pages.words import computers

SHOWN_RUNS = 8
SHOWN_WORKERS = 20


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Show what is active, then the latest results; to a newcomer the three steps."""
    user = person(request)
    if access.may_read(user):
        return _latest(request, user)
    if access.may_operate(user):
        return _at_work(request, user)
    return render(request, "home/no_role.html")


def _at_work(request: HttpRequest, user: User) -> HttpResponse:
    """Show an operator what runs, who waits first, and the computers."""
    there = computers()
    waiting = Job.objects.in_queue_order()
    running = Job.objects.filter(status=JobStatus.RUNNING).order_by("started_at")
    context = {
        "running": entries(user, running[:SHOWN_RUNS]),
        "waiting": entries(user, waiting.select_related("hold_worker", "bound_to")[:SHOWN_RUNS]),
        "waiting_count": waiting.count(),
        "may_operate": True,
        "workers": access.workers_visible_to(user).order_by("name")[:SHOWN_WORKERS],
        "workers_sentence": there.sentence,
        "workers_online": there.online,
    }
    return render(request, "home/operator.html", context)


def _latest(request: HttpRequest, user: User) -> HttpResponse:
    runs = rows_for_list(access.runs_listed_for(user))
    ended = runs.filter(status__in=TERMINAL_STATUSES).order_by("-finished_at")[:SHOWN_RUNS]
    active = list(runs.exclude(status__in=TERMINAL_STATUSES)[:SHOWN_RUNS])
    ended_runs = listed_runs(user, ended)
    context = {
        "active_runs": active,
        "ended_runs": ended_runs,
        "has_runs": bool(active or ended_runs),
        "shows_owners": has_others(user, ended_runs),
        "workers_sentence": computers().sentence,
    }
    return render(request, "home/home.html", context)
