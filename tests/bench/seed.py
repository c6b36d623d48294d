"""Fills a portal's database with rows for benchmarks; `main` runs inside `manage.py shell` and prints one JSON line.

Finished runs are copied from one that the services made, so that rows are such as can exist.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import JobStatus, LogLevel, Outcome, Split
from bert_training.models import Dataset, Job, JobAttempt, Log, Metric, Run, Worker
from bert_training.services.runs import cancel_run
from tests.personas import make_dataset, make_run, make_user, make_worker

METRIC_POINTS = 200
STEPS_PER_POINT = 50
COPIED = ("dataset", "task", "base_model", "base_model_revision", "hyperparameters", "split_digest")
SCORES = {"loss": 0.31, "accuracy": 0.91, "f1_macro": 0.89}
CLASS_SCORES = {"precision": 0.9, "recall": 0.88, "f1": 0.89}
RESULT = {
    "metrics": SCORES,
    "best_step": 400,
    "classes": [{"name": f"label {number}", **CLASS_SCORES, "support": 40} for number in range(20)],
}


def main(*, lines: tuple[int, int], runs: tuple[int, int]) -> None:
    """Make two runs of ana's with few and many log lines, and two people with few and many runs."""
    ana, worker = User.objects.get(username="ana"), make_worker("bench")
    User.objects.filter(pk=ana.pk).update(is_staff=True)  # only operators may ask for simulations
    with_logs = [finished_runs(ana, worker, count=1)[0] for _ in lines]
    for run, length in zip(with_logs, lines, strict=True):
        write_telemetry(run, lines=length)
    people = {"ana": ana, "few": make_user("few"), "many": make_user("many")}
    for name, length in zip(("few", "many"), runs, strict=True):
        finished_runs(people[name], worker, count=length)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what a server in use does by itself
    sessions = {name: session_of(person) for name, person in people.items()}
    print(json.dumps({"few_lines": with_logs[0].pk, "many_lines": with_logs[1].pk, "sessions": sessions}))


def finished_runs(owner: User, worker: Worker, *, count: int, dataset: Dataset | None = None) -> Sequence[Run]:
    """Store completed runs, each with its job and attempt."""
    model = make_run(owner, dataset or make_dataset(owner, name=f"Petições {Run.objects.count()}"))
    cancel_run(model)  # no worker of the benchmark shall take it
    began, ended = timezone.now() - timedelta(hours=1), timezone.now()
    times = {"started_at": began, "finished_at": ended}
    copied = {name: getattr(model, name) for name in COPIED}
    state: dict[str, Any] = {"status": JobStatus.COMPLETED.value, **times}
    runs = Run.objects.bulk_create(
        Run(owner=owner, name=f"Petições, tentativa {number}", result=RESULT, **copied, **state)
        for number in range(count)
    )
    jobs = Job.objects.bulk_create(Job(run=run, task=run.task, worker=worker, attempt=1, **state) for run in runs)
    JobAttempt.objects.bulk_create(
        JobAttempt(job=job, number=1, worker=worker, started_at=began, ended_at=ended, outcome=Outcome.COMPLETED.value)
        for job in jobs
    )
    return runs


def write_telemetry(run: Run, *, lines: int) -> None:
    """Store a log of so many lines and the same metric points for every run."""
    attempt = run.job.attempts.get()
    Log.objects.bulk_create(
        Log(
            run=run,
            attempt=attempt,
            seq=seq,
            timestamp=timezone.now(),
            level=LogLevel.INFO.value,
            message=f"epoch {1 + seq // 1000}, step {seq}: loss {1 / seq:.4f}, 31.4 texts a second, 2.1 GiB in use",
        )
        for seq in range(1, lines + 1)
    )
    Metric.objects.bulk_create(
        Metric(
            run=run,
            attempt=attempt,
            seq=seq,
            epoch=1 + seq // 20,
            step=seq * STEPS_PER_POINT,
            split=Split.TRAIN.value,
            values={"loss": 1 / seq, "learning_rate": 5e-5},
        )
        for seq in range(1, METRIC_POINTS + 1)
    )


def session_of(user: User) -> dict[str, str]:
    """Sign a person in; returns name and value of the session's cookie."""
    client = Client()
    client.force_login(user)
    return {name: morsel.value for name, morsel in client.cookies.items()}
