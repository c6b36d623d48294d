"""A paused worker hands its job back at the next checkpoint; the job waits for it, and is never stranded."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from bert_training.contract.enums import Directive, Feature, Outcome, Reason, WorkerState
from bert_training.contract.messages import FailureReport, HeartbeatRequest
from bert_training.models import AuditEvent, Job, Worker
from bert_training.services.claims import claim_job
from bert_training.services.jobs import complete_job, finish_job, report_progress
from bert_training.services.workers import offer_to_others, pause_worker, record_heartbeat, set_worker_draining
from tests.personas import claim, claim_request
from tests.service_layer.test_jobs import completion, progress

HANDED_BACK = completion(Outcome.RELEASED, error=FailureReport(code=Reason.PAUSED))


@pytest.fixture
def paused_job(running_job: Job, worker: Worker) -> Job:
    """A job that its worker handed back for a pause, with a checkpoint at step 4."""
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    pause_worker(worker)
    complete_job(worker, running_job.pk, HANDED_BACK)
    running_job.refresh_from_db()
    return running_job


def beat(worker: Worker) -> Directive:
    body = HeartbeatRequest(instance="machine-1:1", state=WorkerState.DRAINING, sent_at=datetime.now(UTC))
    return record_heartbeat(worker, body).directive


@pytest.mark.parametrize(
    ("features", "directive"), [([Feature.PAUSE], Directive.PAUSE), ([], Directive.DRAIN)], ids=["today's", "older"]
)
def test_only_a_worker_that_can_pause_is_told_so(
    running_job: Job, worker: Worker, features: list[Feature], directive: Directive
) -> None:
    Worker.objects.update(features=[feature.value for feature in features])
    pause_worker(worker)
    assert report_progress(worker, running_job.pk, progress()).directive == directive
    assert AuditEvent.objects.filter(kind="worker_paused", target_id=worker.pk).count() == 1


def test_what_is_asked_of_the_job_itself_goes_before_a_pause(running_job: Job, worker: Worker) -> None:
    Worker.objects.update(features=[Feature.PAUSE.value])
    pause_worker(worker)
    finish_job(running_job.pk)
    assert report_progress(worker, running_job.pk, progress()).directive == Directive.FINISH


def test_a_job_handed_back_waits_for_its_paused_worker_and_goes_on_at_its_checkpoint(
    paused_job: Job, worker: Worker, other_worker: Worker
) -> None:
    assert paused_job.attempts.get().reason == "paused"
    assert claim_job(worker, claim_request()) is None
    assert claim_job(other_worker, claim_request(instance="machine-2:1")) is None
    set_worker_draining(worker, draining=False)
    again = claim(worker)
    assert (again.job_id, again.attempt, again.resume_checkpoint_step) == (paused_job.pk, 2, 4)
    assert Worker.objects.get(pk=worker.pk).paused_at is None


def test_a_pause_that_is_over_before_the_job_comes_back_costs_no_step(
    running_job: Job, worker: Worker, other_worker: Worker
) -> None:
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    pause_worker(worker)
    set_worker_draining(worker, draining=False)
    complete_job(worker, running_job.pk, HANDED_BACK)
    assert claim_job(other_worker, claim_request(instance="machine-2:1")) is None
    assert claim(worker).resume_checkpoint_step == 4


def test_the_job_waits_as_long_as_the_paused_worker_is_heard_of(
    paused_job: Job, worker: Worker, other_worker: Worker
) -> None:
    Job.objects.update(hold_until=timezone.now() + timedelta(seconds=1))
    assert beat(worker) == Directive.DRAIN
    paused_job.refresh_from_db()
    assert paused_job.hold_until is not None
    assert paused_job.hold_until > timezone.now() + timedelta(minutes=1)
    Job.objects.update(hold_until=timezone.now() - timedelta(seconds=1))  # the computer was switched off
    assert claim(other_worker, instance="machine-2:1").resume_checkpoint_step == 0


def test_after_half_a_day_of_pause_the_job_is_offered_to_all(paused_job: Job, worker: Worker) -> None:
    Worker.objects.update(paused_at=timezone.now() - timedelta(hours=13))
    soon = timezone.now() + timedelta(seconds=1)
    Job.objects.update(hold_until=soon)
    beat(worker)
    assert Job.objects.get().hold_until == soon


def test_an_operator_may_offer_it_at_once(paused_job: Job, worker: Worker, other_worker: Worker) -> None:
    offer_to_others(worker)
    assert claim(other_worker, instance="machine-2:1").job_id == paused_job.pk
    offer_to_others(worker)  # twice: nothing waits any more
    assert AuditEvent.objects.filter(kind="queue_reordered").count() == 1


def test_a_worker_that_merely_ends_leaves_its_job_to_all(
    running_job: Job, worker: Worker, other_worker: Worker
) -> None:
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    complete_job(worker, running_job.pk, completion(Outcome.RELEASED))
    assert claim(other_worker, instance="machine-2:1").job_id == running_job.pk
