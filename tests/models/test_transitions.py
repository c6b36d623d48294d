"""A job moves along the allowed ways only, and its run moves with it."""

from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from bert_training.contract.enums import TERMINAL_STATUSES, Directive, JobStatus, Outcome
from bert_training.models import Job, JobAttempt, Run, Worker
from bert_training.models.job import TransitionRefused
from tests.models.conftest import NewJob

Q, R, C, F, X = JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED
ALLOWED = {(Q, R), (Q, X), (R, Q), (R, C), (R, F), (R, X)}
FORBIDDEN = sorted(set(product(JobStatus, JobStatus)) - ALLOWED)


@pytest.fixture
def worker_row(db: None) -> Worker:
    return Worker.objects.create(name="gpu-1")


def running(worker: Worker) -> dict[str, Any]:
    return {"worker": worker, "attempt": 1, "lease_until": timezone.now()}


def put_into(job: Job, status: JobStatus, worker: Worker) -> None:
    """Write a state past the rules, as an earlier history would have left it."""
    end = {"finished_at": timezone.now()} if status in TERMINAL_STATUSES else {}
    Job.objects.filter(pk=job.pk).update(status=status, **running(worker), **end)
    Run.objects.filter(pk=job.run_id).update(status=status, **end)
    job.refresh_from_db()


@pytest.mark.parametrize(("before", "after"), sorted(ALLOWED), ids=str)
def test_an_allowed_move_is_made_in_job_and_run(
    job: Job, worker_row: Worker, before: JobStatus, after: JobStatus
) -> None:
    put_into(job, before, worker_row)
    job.transition(after, **running(worker_row))
    run = Run.objects.get(pk=job.run_id)
    assert (job.status, run.status) == (after, after)
    assert (job.finished_at is not None) == (run.finished_at is not None) == (after in TERMINAL_STATUSES)


@pytest.mark.parametrize(("before", "after"), FORBIDDEN, ids=str)
def test_a_forbidden_move_is_refused_and_changes_nothing(
    job: Job, worker_row: Worker, before: JobStatus, after: JobStatus
) -> None:
    put_into(job, before, worker_row)
    with pytest.raises(TransitionRefused):
        job.transition(after, **running(worker_row))
    unchanged = Job.objects.select_related("run").get(pk=job.pk)
    assert (unchanged.status, unchanged.run.status) == (before, before)


def test_of_two_that_saw_a_job_waiting_one_gets_it(job: Job, worker_row: Worker) -> None:
    seen_by_another = Job.objects.get(pk=job.pk)
    job.transition(R, **running(worker_row))
    with pytest.raises(TransitionRefused):
        seen_by_another.transition(R, **running(worker_row))


@pytest.mark.parametrize(
    ("fields", "directive"),
    [
        ({}, Directive.CONTINUE),
        ({"finish_requested_at": timezone.now()}, Directive.FINISH),
        ({"cancel_requested_at": timezone.now(), "finish_requested_at": timezone.now()}, Directive.CANCEL),
    ],
)
def test_a_worker_is_told_the_gravest_wish(
    job: Job, worker_row: Worker, fields: dict[str, Any], directive: Directive
) -> None:
    put_into(job, R, worker_row)
    Job.objects.filter(pk=job.pk).update(**fields)
    assert Job.objects.get(pk=job.pk).directive() == directive


def test_a_draining_worker_is_told_so_and_a_canceled_job_first_of_all(job: Job, worker_row: Worker) -> None:
    put_into(job, R, worker_row)
    Worker.objects.update(draining=True)
    assert Job.objects.get(pk=job.pk).directive() == Directive.DRAIN
    put_into(job, X, worker_row)
    assert Job.objects.get(pk=job.pk).directive() == Directive.CANCEL


def test_an_attempt_ends_once(job: Job, worker_row: Worker) -> None:
    attempt = JobAttempt.objects.create(job=job, number=1, worker=worker_row, started_at=timezone.now())
    attempt.end(Outcome.LOST, reason="lease_expired")
    attempt.end(Outcome.COMPLETED)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.reason) == (Outcome.LOST, "lease_expired")


def test_the_queue_goes_by_priority_then_turn_then_age(new_job: NewJob) -> None:
    jobs = [new_job() for _place in range(4)]
    for job, priority, turn in zip(jobs, (0, 0, 1, 0), (1, 0, 5, 0), strict=True):
        Job.objects.filter(pk=job.pk).update(priority=priority, turn=turn)
    assert list(Job.objects.in_queue_order()) == [jobs[2], jobs[1], jobs[3], jobs[0]]
