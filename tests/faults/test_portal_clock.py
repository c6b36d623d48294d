"""The portal's own clock jumps: no worker is blamed for it, and nothing is kept longer than it would have been."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F

from bert_training.contract.enums import JobStatus, Outcome, Phase, Reason, WorkerState
from bert_training.contract.messages import HeartbeatRequest, ProgressRequest
from bert_training.models import Dataset, Job, JobAttempt, PortalTick, Worker
from bert_training.services.claims import claim_job
from bert_training.services.jobs import report_progress, requeue
from bert_training.services.leases import expire_leases
from bert_training.services.workers import record_heartbeat
from tests.personas import claim, claim_request, make_run, make_worker

pytestmark = pytest.mark.embedded

WORKERS = 3
HOUR = 3600.0
STEPS = [48 * HOUR, -48 * HOUR, *(pytest.param(seconds, marks=pytest.mark.long) for seconds in (3.0, -3.0))]
# Which of the database's times a jump of its clock leaves behind.
MOMENTS = (
    (Job, ("lease_until", "hold_until", "queued_at", "started_at")),
    (JobAttempt, ("started_at", "phase_since")),
    (Worker, ("last_seen_at",)),
    (PortalTick, ("heard_since", "heard_at")),
)


def step_clock(seconds: float) -> None:
    """Move everything that the database remembers: the same as its clock jumping by `seconds`."""
    for model, names in MOMENTS:
        model._default_manager.update(**{name: F(name) - timedelta(seconds=seconds) for name in names})


def pass_time(seconds: float, living: Sequence[Worker]) -> int:
    """Let time pass, with a tick every TICK_SECONDS and heartbeats of the living; returns how many jobs were lost."""
    lost = 0
    for _ in range(int(seconds / settings.TICK_SECONDS)):
        step_clock(settings.TICK_SECONDS)
        for worker in living:
            beat(worker)
        lost += expire_leases()
    return lost


def beat(worker: Worker) -> None:
    job = Job.objects.get(worker=worker)
    state, now = WorkerState.BUSY, datetime.now(UTC)
    record_heartbeat(
        worker, HeartbeatRequest(instance="machine-1:1", state=state, sent_at=now, job_id=job.pk, attempt=1)
    )


@pytest.fixture
def office(ana: User, dataset: Dataset) -> list[Worker]:
    """Workers that all train, on a portal that has listened for long."""
    workers = [make_worker(f"pc-{number}") for number in range(WORKERS)]
    for worker in workers:
        make_run(ana, dataset)
        claim(worker)
    assert pass_time(3 * settings.LEASE_SECONDS, workers) == 0
    return workers


@pytest.mark.parametrize("seconds", STEPS)
def test_a_jump_of_the_portals_clock_neither_loses_living_workers_nor_keeps_dead_ones(
    office: list[Worker], seconds: float
) -> None:
    """F-46: a dead worker is found within the two leases of the deaf-portal rule and its own; nobody else is lost."""
    dead, *living = office
    step_clock(seconds)
    assert expire_leases() == 0
    assert pass_time(3 * settings.LEASE_SECONDS + 2 * settings.TICK_SECONDS, living) == 1
    assert list(Job.objects.filter(status=JobStatus.QUEUED)) == list(Job.objects.filter(attempts__worker=dead))


@pytest.mark.parametrize("seconds", STEPS)
def test_a_run_never_waits_longer_for_its_computer_because_a_clock_jumped(
    running_job: Job, worker: Worker, other_worker: Worker, seconds: float
) -> None:
    """F-46: the time in which a run waits for the computer with its checkpoint stays bounded by the setting."""
    report_progress(worker, running_job.pk, ProgressRequest(attempt=1, phase=Phase.TRAINING, step=9, checkpoint_step=9))
    running_job.refresh_from_db()
    requeue(running_job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    step_clock(seconds)
    expire_leases()
    step_clock(settings.AFFINITY_SECONDS + 1)
    assert claim_job(other_worker, claim_request(instance="machine-2:1")) is not None


def test_a_replaced_computer_is_let_in_although_a_clock_jumped_back(running_job: Job, worker: Worker) -> None:
    """F-46: who was heard of "in an hour" is no longer fresh one lease later, so that its token works elsewhere."""
    step_clock(-HOUR)
    expire_leases()
    step_clock(settings.LEASE_SECONDS)
    assert claim_job(worker, claim_request(instance="machine-2:1")) is not None
