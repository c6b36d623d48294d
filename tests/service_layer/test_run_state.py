"""What people are told about a run: how its attempts follow each other."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from bert_training.contract.enums import Phase
from bert_training.contract.messages import ProgressRequest
from bert_training.models import Job, JobAttempt, Run, Worker
from bert_training.services.jobs import report_progress
from bert_training.services.run_state import run_state

pytestmark = pytest.mark.embedded


def end_first(job: Job, outcome: str, *, checkpoint_step: int = 0) -> None:
    job.attempts.update(outcome=outcome, ended_at=timezone.now(), checkpoint_step=checkpoint_step)


def add_second(job: Job, worker: Worker, step: int | None) -> None:
    JobAttempt.objects.create(job=job, number=2, worker=worker, started_at=timezone.now(), resumed_from_step=step)


def origins(run: Run) -> list[str]:
    with translation.override("en"):
        return [attempt["origin"] for attempt in run_state(run)["attempts"]]


@pytest.mark.parametrize(
    ("outcome", "step", "sentence"),
    [
        ("lost", 240, "attempt 1 lost, resumed at step 240"),
        ("released", 240, "attempt 1 handed back, resumed at step 240"),
        ("lost", 0, "attempt 1 lost, started again from step 0"),
        ("released", 0, "attempt 1 handed back, started again from step 0"),
        ("lost", None, ""),  # not known before the first progress
    ],
)
def test_an_attempt_says_how_it_follows_the_one_before(
    running_job: Job, worker: Worker, outcome: str, step: int | None, sentence: str
) -> None:
    end_first(running_job, outcome)
    add_second(running_job, worker, step)
    assert origins(running_job.run) == ["", sentence]


def test_on_another_computer_a_run_begins_again_and_the_page_says_where_the_checkpoint_is(
    running_job: Job, worker: Worker, other_worker: Worker
) -> None:
    end_first(running_job, "lost", checkpoint_step=240)
    add_second(running_job, other_worker, 0)
    assert origins(running_job.run)[1] == (
        f"started again from step 0: the checkpoint of attempt 1 stays on {worker.name}"
    )


def eta_after(job: Job, *, remaining_seconds: float | None) -> float | None:
    """Return what is shown as left after a report of a job that is half done, ten minutes after it began."""
    assert job.worker is not None
    job.attempts.update(started_at=timezone.now() - timedelta(minutes=10))
    progress = ProgressRequest(
        attempt=1, phase=Phase.TRAINING, epoch=1, step=50, total_steps=100, remaining_seconds=remaining_seconds
    )
    report_progress(job.worker, job.pk, progress)
    eta: float | None = run_state(Run.objects.get(pk=job.run_id))["progress"]["eta_seconds"]
    return eta


def test_what_is_left_is_what_the_worker_forecasts(running_job: Job) -> None:
    assert eta_after(running_job, remaining_seconds=1500) == pytest.approx(1500, abs=20)


def test_a_forecast_that_has_passed_leaves_nothing(running_job: Job) -> None:
    eta_after(running_job, remaining_seconds=1500)
    running_job.attempts.update(expected_end=timezone.now() - timedelta(seconds=5))
    assert run_state(Run.objects.get(pk=running_job.run_id))["progress"]["eta_seconds"] == 0


def test_of_a_worker_without_forecast_the_steps_are_extrapolated(running_job: Job) -> None:
    assert eta_after(running_job, remaining_seconds=None) == pytest.approx(600, abs=20)
