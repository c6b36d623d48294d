"""How long the phases of an attempt took, by the database's clock."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone, translation

from bert_training.contract.enums import Outcome, Phase
from bert_training.contract.messages import CompleteRequest, ProgressRequest
from bert_training.models import Job, JobAttempt, Worker
from bert_training.services.jobs import complete_job, report_progress
from bert_training.services.phases import NO_BREAK, duration_text, phases_of

pytestmark = pytest.mark.embedded


def pass_seconds(job: Job, seconds: int) -> None:
    """Move what the database remembers of the attempt into the past: the same as time passing."""
    earlier = timedelta(seconds=seconds)
    job.attempts.update(started_at=F("started_at") - earlier, phase_since=F("phase_since") - earlier)


def enter(worker: Worker, job: Job, phase: Phase, *, step: int = 0) -> None:
    report_progress(worker, job.pk, ProgressRequest(attempt=1, phase=phase, step=step, total_steps=9))


def shown(job: Job) -> list[tuple[str, int]]:
    return [(phase["phase"], int(phase["seconds"])) for phase in phases_of(job.attempts.get())]


def test_phases_are_timed_and_add_up_over_the_epochs(running_job: Job, worker: Worker) -> None:
    assert shown(running_job) == []  # nothing has been said yet
    story = [(Phase.DOWNLOADING, 3, 0), (Phase.TRAINING, 5, 0), (Phase.EVALUATING, 60, 4), (Phase.TRAINING, 7, 4)]
    for phase, seconds_before, step in story:
        pass_seconds(running_job, seconds_before)
        enter(worker, running_job, phase, step=step)
    pass_seconds(running_job, 30)
    assert shown(running_job) == [("preparing", 3), ("downloading", 5), ("training", 90), ("evaluating", 7)]


def test_the_last_phase_ends_with_its_attempt(running_job: Job, worker: Worker) -> None:
    enter(worker, running_job, Phase.TRAINING, step=1)
    pass_seconds(running_job, 12)
    complete_job(worker, running_job.pk, CompleteRequest(attempt=1, outcome=Outcome.RELEASED, log_seq=0, metric_seq=0))
    JobAttempt.objects.update(ended_at=timezone.now() - timedelta(seconds=2))
    assert shown(running_job) == [("preparing", 0), ("training", 10)]


def test_only_a_change_of_phase_costs_a_query(
    running_job: Job, worker: Worker, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    enter(worker, running_job, Phase.TRAINING, step=1)
    with django_assert_max_num_queries(50) as first:
        enter(worker, running_job, Phase.EVALUATING, step=2)
    with django_assert_num_queries(len(first) - 1):
        enter(worker, running_job, Phase.EVALUATING, step=3)


def test_a_clock_that_was_set_back_never_makes_a_phase_negative(running_job: Job, worker: Worker) -> None:
    enter(worker, running_job, Phase.TRAINING, step=1)
    pass_seconds(running_job, -3600)
    enter(worker, running_job, Phase.EVALUATING, step=2)
    assert shown(running_job) == [("preparing", 0), ("training", 0), ("evaluating", 0)]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (125, "2 min 5 s"), (3780, "1 h 3 min")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration_text(seconds).replace(NO_BREAK, " ") == text


def test_phases_are_named_in_the_readers_language(running_job: Job, worker: Worker) -> None:
    enter(worker, running_job, Phase.DOWNLOADING)
    with translation.override("en"):
        assert [phase["text"] for phase in phases_of(running_job.attempts.get())] == [
            f"preparing 0{NO_BREAK}s",
            f"downloading the data 0{NO_BREAK}s",
        ]
