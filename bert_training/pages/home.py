"""The first page: what runs now, what waits for a decision, and what has ended since the last visit.

Operators who see no runs find queue and computers; who has no role is told whom to ask. A newcomer finds three steps
and the example.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import TERMINAL_STATUSES, JobStatus
from bert_training.models import Job, JobAttempt, Run
from bert_training.models.home import DecisionKind
from bert_training.pages.decisions import decisions_for, how_many
from bert_training.pages.ownership import has_others
from bert_training.pages.queue import entries
from bert_training.pages.requests import action, number_of, page, person
from bert_training.pages.runs import listed_runs, rows_for_list
from bert_training.pages.words import computers
from bert_training.services.home import note_visit, put_aside
from bert_training.services.phases import NO_BREAK, duration_text
from bert_training.services.run_state import progress_of, silent_sentence

SHOWN_RUNS = 8
SHOWN_WORKERS = 20
SECONDS_A_MINUTE = 60


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Show what concerns the reader, as far as their roles go."""
    user = person(request)
    if access.may_read(user):
        return _latest(request, user)
    if access.may_operate(user):
        return _at_work(request, user)
    return render(request, "home/no_role.html")


@action
def set_aside(request: HttpRequest) -> HttpResponse:
    """Put something that waits for a decision aside: `kind` and `number` say which."""
    kind, number = request.POST.get("kind", ""), number_of(request.POST.get("number", ""))
    if kind not in set(DecisionKind) or number is None:
        raise Http404
    put_aside(person(request), DecisionKind(kind), number)
    return redirect("pages:home")


def _at_work(request: HttpRequest, user: User) -> HttpResponse:
    """Show an operator what runs, who waits first, and the computers."""
    there = computers()
    waiting = Job.objects.in_queue_order()
    running = Job.objects.filter(status=JobStatus.RUNNING).order_by("started_at")
    context = {
        **_to_decide(user),
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
    since = note_visit(user)
    runs = rows_for_list(access.runs_listed_for(user))
    ended = listed_runs(user, runs.filter(status__in=TERMINAL_STATUSES).order_by("-finished_at")[:SHOWN_RUNS])
    # Running before queued, as their names sort.
    active = (
        runs.exclude(status__in=TERMINAL_STATUSES).select_related("job__worker").order_by("-status", "-id")[:SHOWN_RUNS]
    )
    at_work = active_runs(active[:SHOWN_RUNS])
    there = computers()
    context = {
        **_to_decide(user),
        "active_runs": at_work,
        "since": since,
        **_split_by(since, ended),
        "has_runs": bool(at_work or ended),
        "shows_owners": has_others(user, ended),
        "workers_sentence": there.sentence,
        "workers_online": there.online,
        "example": access.example_run(user),
        "lacks_workers": access.may_administer(user) and not access.workers_visible_to(user).exists(),
    }
    return render(request, "home/home.html", context)


def _to_decide(user: User) -> dict[str, Any]:
    found = decisions_for(user)
    return {"decisions": found, "decisions_count": how_many(found)}


def _split_by(since: datetime | None, ended: list[Run]) -> dict[str, list[Run]]:
    """Tell what ended since the last visit from what was there; on the first visit all of it was there."""
    new = [run for run in ended if since is not None and run.finished_at is not None and run.finished_at > since]
    return {"new_runs": new, "earlier_runs": ended[len(new) :]}


@dataclass(frozen=True)
class ActiveRun:
    """A run that waits or trains: how far it is, on which PC, and how long it still takes."""

    run: Run
    percent: int
    place: str
    remaining: str
    remark: str


def active_runs(runs: Iterable[Run]) -> list[ActiveRun]:
    """Say how far runs are, with one query for the attempts of all of them."""
    listed = list(runs)
    going_on = JobAttempt.objects.filter(job__run__in=listed, ended_at=None)
    attempts = {attempt.job_id: attempt for attempt in going_on}
    return [_active(run, attempts.get(run.job.pk)) for run in listed]


def _remaining(seconds: float | None) -> str:
    """Say how long a run still takes; empty where that is not known."""
    if seconds is None:
        return ""
    if seconds < SECONDS_A_MINUTE:
        return _("less than a minute left")
    whole = duration_text(SECONDS_A_MINUTE * round(seconds / SECONDS_A_MINUTE))
    return _("about %(duration)s left") % {"duration": whole.removesuffix(f"{NO_BREAK}0{NO_BREAK}s")}


def _active(run: Run, attempt: JobAttempt | None) -> ActiveRun:
    progress = progress_of(run.job, attempt)
    seconds = progress["eta_seconds"]
    is_running = run.job.status == JobStatus.RUNNING
    return ActiveRun(
        run=run,
        percent=round(100 * progress["fraction"]) if is_running else 0,
        place=_("on %(worker)s") % {"worker": run.job.worker.name} if is_running and run.job.worker else "",
        remaining=_remaining(seconds),
        remark=silent_sentence(run.job),
    )
