"""The PCs that train: operators see each of them and switch it, everybody else how many are online."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import Feature, JobStatus, Role
from bert_training.models import AccessToken, Job, JobAttempt, Run, Worker
from bert_training.models.reasons import explain
from bert_training.pages.requests import needs, page, page_of, person
from bert_training.pages.words import computers
from bert_training.pages.worker_facts import clock_sentence, facts, meters, versions_text
from bert_training.services.phases import duration_text
from bert_training.services.worker_hours import clock_text, closes_at, hours_text, outside_words

SHOWN_ATTEMPTS = 20
SHOWN_MODELS = 5


@page
@needs(*Role)
def list_workers(request: HttpRequest) -> HttpResponse:
    """List the workers to those who operate them; say how many are online to all."""
    user = person(request)
    there = computers()
    context: dict[str, Any] = {"workers_sentence": there.sentence, "workers_online": there.online}
    if access.may_operate(user):
        context["page"] = page_of(request, _with_work(access.workers_visible_to(user)))
        for worker in context["page"].object_list:
            describe(worker)
        _mark_opened(user, context["page"].object_list)
    return render(request, "workers/list.html", context)


@page
@needs(Role.OPERATE)
def show_worker(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one computer: what it holds and keeps, its hardware, hours and last attempts."""
    user = person(request)
    worker = _with_work(access.workers_visible_to(user)).filter(pk=pk).first()
    if worker is None:
        raise Http404(_("There is no computer %(id)s.") % {"id": pk})
    describe(worker)
    _mark_opened(user, [worker])
    held = Job.objects.filter(status=JobStatus.QUEUED, hold_worker=worker, hold_until__gt=timezone.now())
    attempts = JobAttempt.objects.filter(worker=worker).select_related("job").order_by("-pk")[:SHOWN_ATTEMPTS]
    context = {
        "worker": worker,
        "held": held.select_related("run").only("checkpoint_step", "run__name"),
        "attempts": _lines(user, list(attempts)),
        "kept": _kept(worker),
        "can_pause": worker.can(Feature.PAUSE),
        "versions": versions_text(worker),
    }
    return render(request, "workers/detail.html", context)


def describe(worker: Any) -> None:
    """Put into words what a page says of a worker; needs what `_with_work` reads."""
    now = timezone.now()
    worker.facts = facts(worker)
    worker.meters = meters(worker)
    worker.clock_sentence = clock_sentence(worker)
    worker.hours_text = hours_text(worker)
    worker.outside = outside_words(worker, now)
    closing = closes_at(worker, now)
    worker.closes = clock_text(closing, now) if closing else ""


def _with_work(workers: QuerySet[Worker]) -> QuerySet[Worker]:
    """Read with each worker its valid tokens and the job that it holds."""
    running = Job.objects.filter(status=JobStatus.RUNNING).select_related("run").defer("run__result")
    return workers.prefetch_related(
        Prefetch("jobs", queryset=running, to_attr="running_jobs"),
        Prefetch("tokens", queryset=AccessToken.objects.usable(), to_attr="valid_tokens"),
    )


def _mark_opened(user: User, workers: list[Worker]) -> None:
    """Say of the jobs that workers run whether this person may open their runs' pages."""
    running = [job for worker in workers for job in worker.running_jobs]  # type: ignore[attr-defined]
    opened = access.seen_among(user, Run, [job.run_id for job in running])
    for job in running:
        job.opens = job.run_id in opened


@dataclass(frozen=True)
class AttemptLine:
    """One attempt of a computer as a row of its page."""

    attempt: JobAttempt
    name: str
    opens: bool

    @property
    def duration(self) -> str:
        """Say how long it took, or has taken so far."""
        end = self.attempt.ended_at or timezone.now()
        return duration_text(max(0.0, (end - self.attempt.started_at).total_seconds()))

    @property
    def reason(self) -> str:
        """Say why it ended otherwise than as planned."""
        return str(explain(self.attempt.reason).sentence) if self.attempt.reason else ""


def _lines(user: User, attempts: list[JobAttempt]) -> list[AttemptLine]:
    wanted = [attempt.job.run_id for attempt in attempts]
    names = dict(Run.objects.filter(pk__in=wanted).values_list("pk", "name"))
    opened = access.seen_among(user, Run, wanted)
    return [
        AttemptLine(attempt, names.get(attempt.job.run_id, ""), attempt.job.run_id in opened) for attempt in attempts
    ]


def _kept(worker: Worker) -> list[str]:
    """Name the newest runs whose model lies on this computer."""
    kept = Run.objects.filter(job__worker=worker, status=JobStatus.COMPLETED, simulate=False)
    return list(kept.exclude(model_fingerprint="").order_by("-pk").values_list("name", flat=True)[:SHOWN_MODELS])
