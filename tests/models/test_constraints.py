"""What the database itself refuses, whatever the code above it does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from bert_training.contract.enums import TERMINAL_STATUSES, JobStatus
from bert_training.models import (
    AccessToken,
    BaseModel,
    Dataset,
    IdempotentRequest,
    Job,
    JobAttempt,
    Log,
    Metric,
    PortalTick,
    Run,
    Worker,
)
from tests.models.conftest import NewJob

OPEN = sorted(set(JobStatus) - TERMINAL_STATUSES)
TERMINAL = sorted(TERMINAL_STATUSES)


@contextmanager
def refused() -> Iterator[None]:
    """Expect the database to refuse; the savepoint keeps the test's transaction usable."""
    with pytest.raises(IntegrityError), transaction.atomic():
        yield


def put(job: Job, **fields: Any) -> None:
    """Write fields of a job past all rules of the code."""
    Job.objects.filter(pk=job.pk).update(**fields)


def start(job: Job, worker: Worker) -> None:
    put(job, status="running", worker=worker, attempt=1, lease_until=timezone.now())


def new_attempt(job: Job, worker: Worker, number: int = 1, **fields: Any) -> JobAttempt:
    return JobAttempt.objects.create(job=job, number=number, worker=worker, started_at=timezone.now(), **fields)


@pytest.fixture
def worker_row(db: None) -> Worker:
    return Worker.objects.create(name="gpu-1")


@pytest.fixture
def attempt(job: Job, worker_row: Worker) -> JobAttempt:
    return new_attempt(job, worker_row)


# --- jobs and runs ----------------------------------------------------------------------------------------------------


def test_a_worker_runs_one_job_at_most(new_job: NewJob, worker_row: Worker) -> None:
    first, second = new_job(), new_job()
    start(first, worker_row)
    with refused():
        start(second, worker_row)
    put(first, status="completed", finished_at=timezone.now())
    start(second, worker_row)


def test_two_workers_run_a_job_each(new_job: NewJob, worker_row: Worker) -> None:
    start(new_job(), worker_row)
    start(new_job(), Worker.objects.create(name="gpu-2"))


@pytest.mark.parametrize("missing", [{"worker": None}, {"lease_until": None}, {"attempt": 0}], ids=str)
def test_a_running_job_has_worker_lease_and_attempt(job: Job, worker_row: Worker, missing: dict[str, Any]) -> None:
    start(job, worker_row)
    with refused():
        put(job, **missing)


@pytest.mark.parametrize("status", TERMINAL)
def test_an_ended_job_has_its_end(job: Job, status: str) -> None:
    with refused():
        put(job, status=status)
    put(job, status=status, finished_at=timezone.now())


def test_a_waiting_job_has_no_end(job: Job) -> None:
    with refused():
        put(job, finished_at=timezone.now())


@pytest.mark.parametrize("status", TERMINAL)
def test_an_ended_run_has_its_end(job: Job, status: str) -> None:
    with refused():
        Run.objects.filter(pk=job.run_id).update(status=status)
    Run.objects.filter(pk=job.run_id).update(status=status, finished_at=timezone.now())


@pytest.mark.parametrize("status", OPEN)
def test_a_run_that_goes_on_has_no_end(job: Job, status: str) -> None:
    with refused():
        Run.objects.filter(pk=job.run_id).update(status=status, finished_at=timezone.now())


def test_a_run_has_one_job(job: Job) -> None:
    with refused():
        Job.objects.create(run=job.run, task=job.task)


def test_a_dataset_with_runs_is_not_deleted_beneath_them(job: Job, dataset_row: Dataset) -> None:
    with pytest.raises(ProtectedError):
        dataset_row.delete()


def test_a_worker_with_attempts_is_not_deleted(attempt: JobAttempt, worker_row: Worker) -> None:
    with pytest.raises(ProtectedError):
        worker_row.delete()


# --- attempts and what they stream ------------------------------------------------------------------------------------


def test_a_job_has_one_live_attempt_at_most(job: Job, attempt: JobAttempt, worker_row: Worker) -> None:
    with refused():
        new_attempt(job, worker_row, number=2)
    JobAttempt.objects.filter(pk=attempt.pk).update(outcome="lost", ended_at=timezone.now())
    new_attempt(job, worker_row, number=2)


def test_the_number_of_an_attempt_is_given_once(job: Job, attempt: JobAttempt, worker_row: Worker) -> None:
    with refused():
        new_attempt(job, worker_row, number=1, outcome="lost", ended_at=timezone.now())


@pytest.mark.parametrize("fields", [{"outcome": "lost"}, {"ended_at": timezone.now()}], ids=["no end", "no outcome"])
def test_an_attempt_ends_with_time_and_outcome_together(attempt: JobAttempt, fields: dict[str, Any]) -> None:
    with refused():
        JobAttempt.objects.filter(pk=attempt.pk).update(**fields)


def test_a_line_is_stored_once_for_each_number(attempt: JobAttempt) -> None:
    line = {"run": attempt.job.run, "attempt": attempt, "timestamp": timezone.now(), "level": "INFO", "message": "x"}
    Log.objects.create(seq=1, **line)
    with refused():
        Log.objects.create(seq=1, **line)
    Log.objects.create(seq=2, **line)


def test_a_point_is_stored_once_for_each_number(attempt: JobAttempt) -> None:
    point = {"run": attempt.job.run, "attempt": attempt, "epoch": 1, "step": 1, "split": "train", "values": {}}
    Metric.objects.create(seq=1, **point)
    with refused():
        Metric.objects.create(seq=1, **point)
    Metric.objects.create(seq=2, **point)


def test_a_resent_batch_is_dropped_line_by_line(attempt: JobAttempt) -> None:
    def lines() -> list[Log]:
        shared = {"run": attempt.job.run, "attempt": attempt, "timestamp": timezone.now(), "level": "INFO"}
        return [Log(seq=seq, message="x", **shared) for seq in (1, 2)]

    for _time in range(2):
        Log.objects.bulk_create(lines(), ignore_conflicts=True)
    assert Log.objects.count() == 2


# --- tokens, workers, catalogue ---------------------------------------------------------------------------------------


def new_token(**fields: Any) -> AccessToken:
    scope = "read" if "user" in fields else ""
    return AccessToken.objects.create(prefix="bertw_12345678", **{"digest": "c" * 64, "scope": scope, **fields})


def test_a_token_has_one_holder(owner: User, worker_row: Worker) -> None:
    with refused():
        new_token(worker=worker_row, user=owner)
    with refused():
        new_token()
    new_token(worker=worker_row)
    new_token(user=owner, digest="d" * 64)


def test_a_persons_token_has_a_scope_and_a_workers_has_none(owner: User, worker_row: Worker) -> None:
    for fields in (
        {"user": owner, "scope": ""},
        {"user": owner, "scope": "all"},
        {"worker": worker_row, "scope": "run"},
    ):
        with refused():
            new_token(**fields)


def test_a_digest_is_stored_once(owner: User, worker_row: Worker) -> None:
    new_token(worker=worker_row)
    with refused():
        new_token(user=owner)


def test_a_token_does_not_expire_before_it_was_made(owner: User) -> None:
    with refused():
        new_token(user=owner, expires_at=timezone.now() - timedelta(days=1))
    new_token(user=owner, expires_at=timezone.now() + timedelta(days=1))


def test_names_of_workers_and_base_models_are_given_once(worker_row: Worker) -> None:
    with refused():
        Worker.objects.create(name=worker_row.name)
    with refused():
        BaseModel.objects.create(name="xlm-roberta-base", label="x", size_bytes=1, licence="MIT")


# --- datasets and requests --------------------------------------------------------------------------------------------


def again(dataset: Dataset, **changes: Any) -> Dataset:
    fields = {field.name: getattr(dataset, field.name) for field in Dataset._meta.fields}
    for name in ("id", "uuid"):
        fields.pop(name)
    return Dataset.objects.create(**{**fields, **changes})


def test_the_same_upload_of_the_same_owner_is_one_row(dataset_row: Dataset) -> None:
    with refused():
        again(dataset_row)
    again(dataset_row, sha256="c" * 64)
    again(dataset_row, request_digest="c" * 64)
    again(dataset_row, owner=User.objects.create(username="bruno"))


def test_a_refused_upload_may_be_tried_again(dataset_row: Dataset) -> None:
    Dataset.objects.filter(pk=dataset_row.pk).update(status="refused")
    again(dataset_row)


def test_a_key_of_a_repeated_request_is_used_once(owner: User, new_run: Callable[[], Run]) -> None:
    request = {"user": owner, "path": "/runs", "key": "k", "body_digest": "a" * 64}
    IdempotentRequest.objects.create(run=new_run(), **request)
    with refused():
        IdempotentRequest.objects.create(run=new_run(), **request)


def test_the_tick_is_one_row(db: None) -> None:
    PortalTick.objects.all().delete()
    now = timezone.now()
    PortalTick.objects.create(pk=1, heard_since=now, heard_at=now)
    with refused():
        PortalTick.objects.create(pk=2, heard_since=now, heard_at=now)
