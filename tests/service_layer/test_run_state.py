"""What people are told about a run: how its attempts follow each other."""

import pytest
from django.utils import timezone, translation

from bert_training.models import Job, JobAttempt, Run, Worker
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
