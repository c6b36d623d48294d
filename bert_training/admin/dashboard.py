"""What the admin's first page shows, in a constant number of queries: queue, workers, last runs, late failures."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bert_training.access import runs_listed_for, runs_visible_to, workers_visible_to
from bert_training.admin.badges import ago, duration, run_badge, worker_badge
from bert_training.admin.base import admin_url, list_url
from bert_training.admin.running import running_job, with_running_job
from bert_training.contract.enums import JobStatus
from bert_training.models import Job, Run, Worker
from bert_training.models.choices import Label
from bert_training.models.reasons import explain
from bert_training.services.queue import queue_status

SHOWN_RUNS = 8
SHOWN_FAILURES = 5
SHOWN_WORKERS = 20
FAILURE_DAYS = 7


@dataclass(frozen=True)
class Figure:
    """One number of the queue with the list that it counts."""

    label: str
    value: int | str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One row of a panel: a name that leads somewhere, a state, and what else there is to say."""

    name: str
    url: str
    badge: SafeString | str
    detail: Label = ""
    when: str = ""
    advice: Label = ""


@dataclass(frozen=True)
class Dashboard:
    """The four panels."""

    figures: list[Figure]
    workers: list[Line]
    runs: list[Line]
    failures: list[Line]


def dashboard(user: User | AnonymousUser) -> Dashboard:
    """Read everything that the first page shows: six queries, whatever the tables hold."""
    return Dashboard(
        figures=_figures(queue_status()),
        workers=[_worker_line(worker) for worker in _workers(user)],
        runs=[_run_line(run) for run in _with_facts(runs_listed_for(user))[:SHOWN_RUNS]],
        failures=[_failure_line(run) for run in _late_failures(user)],
    )


def _figures(queue: dict[str, Any]) -> list[Figure]:
    jobs, workers = list_url(Job), queue["workers"]
    waiting = duration(queue["oldest_queued_seconds"])
    return [
        Figure(
            _("Waiting"),
            queue["queued"],
            f"{jobs}?status=queued",
            waiting and _("oldest: %(time)s") % {"time": waiting},
        ),
        Figure(_("Running"), queue["running"], f"{jobs}?status=running"),
        Figure(_("Silent"), queue["silent"], f"{jobs}?status=running", _("running, but the computer is not heard of")),
        Figure(
            _("Computers online"),
            workers["online"],
            list_url(Worker),
            _("of %(count)d registered") % {"count": workers["registered"]},
        ),
    ]


def _workers(user: User | AnonymousUser) -> QuerySet[Worker]:
    """Return the active workers, last heard of first, each with the job that it runs."""
    workers = workers_visible_to(user).filter(active=True).order_by(F("last_seen_at").desc(nulls_last=True), "name")
    return with_running_job(workers)[:SHOWN_WORKERS]


def _with_facts(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.select_related("owner", "dataset", "job").order_by("-id")


def _late_failures(user: User | AnonymousUser) -> QuerySet[Run]:
    since = timezone.now() - timedelta(days=FAILURE_DAYS)
    return _with_facts(runs_visible_to(user)).filter(status=JobStatus.FAILED, finished_at__gte=since)[:SHOWN_FAILURES]


def _worker_line(worker: Worker) -> Line:
    job = running_job(worker)
    detail = _("trains %(run)s") % {"run": job.run.name} if job else ""
    return Line(worker.name, admin_url(worker), worker_badge(worker), detail, ago(worker.last_seen_at))


def _run_line(run: Run) -> Line:
    detail = f"{run.owner.get_username()} · {run.dataset.name}"
    return Line(run.name, admin_url(run), run_badge(run), detail, ago(run.created_at))


def _failure_line(run: Run) -> Line:
    explanation = explain(run.error_code)
    return Line(
        run.name, admin_url(run), run_badge(run), explanation.sentence, ago(run.finished_at), explanation.advice
    )
