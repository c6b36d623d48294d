"""Hands out jobs: puts runs into the queue with fair turns, answers claims, opens attempts (protocol rule R1)."""

import logging

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, JobStatus, Outcome, Phase, Reason, WorkerState
from bert_training.contract.messages import ClaimedJob, ClaimRequest, DatasetReference
from bert_training.live.publish import ring
from bert_training.models import Job, JobAttempt, Run, Worker
from bert_training.models.job import lease_end
from bert_training.models.plain_claim import NotPlain, claim_plainly
from bert_training.models.worker import machine_of, split_instance
from bert_training.services.errors import ProtocolError
from bert_training.services.jobs import end_if_over, lock_worker, requeue, ring_after_commit
from bert_training.services.transactions import repeated_once, short_transaction
from bert_training.services.worker_hours import is_within

logger = logging.getLogger(__name__)

# A new attempt has done nothing yet; what was asked of the one before (finish now) is asked of its network.
AT_THE_START = {"phase": Phase.PREPARING.value, "epoch": 0, "step": 0, "finish_requested_at": None}


def enqueue(run: Run, *, priority: int = 0, bound_to: Worker | None = None) -> Job:
    """Put a new run into the queue, with a fair turn among owners of the same priority.

    bound_to: the one worker that can begin it.
    """
    last_claimed = Job.objects.filter(attempt__gt=0).order_by("-started_at")
    own_last = Job.objects.filter(status=JobStatus.QUEUED, run__owner=run.owner_id).order_by("-turn")
    turns = [_turn_of(last_claimed, 0), _turn_of(own_last, -1) + 1]
    return Job.objects.create(
        run=run, task=run.task, simulate=run.simulate, priority=priority, turn=max(turns), bound_to=bound_to
    )


def _turn_of(jobs: QuerySet[Job], default: int) -> int:
    turn = jobs.values_list("turn", flat=True).first()
    return default if turn is None else turn


def claim_job(worker: Worker, request: ClaimRequest) -> ClaimedJob | None:
    """Return the job that the worker holds, or give it the next one, or None (R1)."""
    try:
        claimed = _claim_plainly(worker, request)
    except NotPlain:
        claimed = claim_in_steps(worker, request)
    if claimed is not None and not claimed.held:
        extra = {"job": claimed.job_id, "worker": worker.pk, "attempt": claimed.attempt}
        logger.info("job claimed", extra=extra)
    return claimed


@repeated_once
def _claim_plainly(worker: Worker, request: ClaimRequest) -> ClaimedJob | None:
    claimed = claim_plainly(worker, request)
    if claimed is not None:
        transaction.on_commit(lambda: ring(claimed.run_id))
    return claimed


@short_transaction
def claim_in_steps(worker: Worker, request: ClaimRequest) -> ClaimedJob | None:
    """Answer any claim: of a worker that holds a job, has restarted, is new, drains; and all of them on SQLite."""
    worker = lock_worker(worker)
    _check_instance(worker, request.instance)
    claimed = _claim_held(worker, request)
    if claimed is None and not worker.draining and is_within(worker, timezone.now()):
        claimed = _claim_next(worker, request)
    Worker.objects.filter(pk=worker.pk).update(
        instance=request.instance,
        versions=request.versions,
        tasks=request.tasks,
        features=request.features,
        simulates=request.simulate,
        last_seen_at=Now(),
        state=_state_of(worker, claimed).value,
    )
    return claimed


def _state_of(worker: Worker, claimed: ClaimedJob | None) -> WorkerState:
    if claimed is not None:
        return WorkerState.BUSY
    return WorkerState.DRAINING if worker.draining else WorkerState.IDLE


def _check_instance(worker: Worker, instance: str) -> None:
    """Refuse an echo of the past, and a copied token while its owner is fresh (instance = machine:start number)."""
    machine, start = split_instance(instance)
    known_machine, known_start = split_instance(worker.instance)
    if not known_machine or (machine == known_machine and start >= known_start):
        return
    if machine == known_machine or Worker.objects.fresh().filter(pk=worker.pk).exists():
        retry_after = settings.LEASE_SECONDS
        message = _(
            "Another program used this worker's token less than %(seconds)d seconds ago. If you have just stopped it, "
            "or started this one with another models-dir, it is let in after that time."
        )
        message %= {"seconds": settings.LEASE_SECONDS}
        raise ProtocolError(ErrorCode.INSTANCE_CONFLICT, message, retry_after=retry_after)


def is_same_machine(worker: Worker, instance: str) -> bool:
    """Tell whether an instance (machine:start number) is the machine that this worker is known as, if it is known."""
    return not worker.machine or worker.machine == machine_of(instance)


def _claim_held(worker: Worker, request: ClaimRequest) -> ClaimedJob | None:
    """Answer with the job that the worker holds, unless the claim excludes it, which releases it."""
    locked = Job.objects.select_for_update(of=("self",), no_key=True).select_related("run__dataset", "worker")
    job = locked.filter(worker=worker, status=JobStatus.RUNNING).first()
    if job is None:
        return None
    if job.simulate != request.simulate or job.task not in request.tasks:
        requeue(job, outcome=Outcome.RELEASED, reason=Reason.RELEASED_BY_WORKER)
        return None
    return _claim_again(worker, job, request.instance)


def _claim_again(worker: Worker, job: Job, instance: str) -> ClaimedJob | None:
    """Answer a repeated claim with the same job; a restarted worker gets a new attempt of it, unless that was over."""
    run, attempt = job.run, job.attempts.get(number=job.attempt)
    if attempt.instance == instance:
        job.renew_lease()
        return _claimed(job, run, held=True)
    attempt.end(Outcome.LOST, reason=Reason.WORKER_RESTARTED)
    if end_if_over(job, Outcome.LOST):
        return None
    Job.objects.filter(pk=job.pk).update(attempt=job.attempt + 1, lease_until=lease_end(), **AT_THE_START)
    job.refresh_from_db()
    _open_attempt(worker, job, instance)
    return _claimed(job, run, held=True)


def _claim_next(worker: Worker, request: ClaimRequest) -> ClaimedJob | None:
    # SKIP LOCKED: two workers that ask at once look at different rows. SQLite has one writer anyway.
    skip_locked = connection.features.has_select_for_update_skip_locked
    queue = Job.objects.claimable(tasks=request.tasks, simulate=request.simulate, team_id=worker.team_id)
    queue = queue.within_reach_of(worker, request.features).select_related("run__dataset")
    queue = queue.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)
    job = queue.filter(hold_worker=worker).first() or queue.unheld().first()
    if job is None:
        return None
    run, started_at = job.run, Coalesce("started_at", Now())
    has_checkpoint = job.attempts.filter(number=job.attempt, worker=worker).exists()  # they stay where they were made
    job.transition(
        JobStatus.RUNNING,
        worker=worker,
        attempt=job.attempt + 1,
        lease_until=lease_end(),
        hold_worker=None,
        hold_until=None,
        checkpoint_step=job.checkpoint_step if has_checkpoint else 0,
        started_at=started_at,
        **AT_THE_START,
    )
    Run.objects.filter(pk=run.pk).update(started_at=started_at)
    _open_attempt(worker, job, request.instance)
    return _claimed(job, run, held=False)


def _open_attempt(worker: Worker, job: Job, instance: str) -> None:
    JobAttempt.objects.create(job=job, number=job.attempt, worker=worker, instance=instance, started_at=Now())
    ring_after_commit(job)


def _claimed(job: Job, run: Run, *, held: bool) -> ClaimedJob:
    dataset = run.dataset
    return ClaimedJob(
        job_id=job.pk,
        run_id=run.pk,
        attempt=job.attempt,
        held=held,
        task=run.task,
        hyperparameters=run.hyperparameters,
        base_model=run.base_model,
        base_model_revision=run.base_model_revision,
        simulate=run.simulate,
        dataset=DatasetReference(
            id=dataset.pk,
            sha256=dataset.sha256,
            bytes=dataset.bytes,
            table_sha256=dataset.table_sha256,
            table_bytes=dataset.table_bytes,
            rows=dataset.rows,
        ),
        split_digest=run.split_digest,
        wants_predictions=not run.simulate,
        wants_hardware=True,
        initial_fingerprint=run.initial_fingerprint,
        initial_run_id=run.initial_run_id,
        resume_checkpoint_step=job.checkpoint_step,
        lease_seconds=settings.LEASE_SECONDS,
        heartbeat_seconds=settings.HEARTBEAT_SECONDS,
    )
