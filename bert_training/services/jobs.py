"""A job from its claim to its end: progress, complete, requeue, cancel. The worker protocol's rules R2, R4, R7, R8.

Every write about a job first locks its row; lock order everywhere: worker, job, attempt. All times are the database's.
Locks are `no_key`: a full lock of a worker's row deadlocks with the foreign-key checks of another job's commit
(41 deadlocks in 45 s of stress on PostgreSQL, none with it).
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, Directive, ErrorCode, JobStatus, Outcome, Reason, WorkerState
from bert_training.contract.messages import CompleteAnswer, CompleteRequest, ProgressAnswer, ProgressRequest
from bert_training.contract.text import clean_text
from bert_training.live.publish import ring
from bert_training.models import Job, JobAttempt, Run, Worker
from bert_training.models.job import hold_end, lease_end
from bert_training.services.audit import record
from bert_training.services.errors import AlreadyFinished, ProtocolError, ServiceError
from bert_training.services.notifying.occurrences import note_run_ended
from bert_training.services.origin import current_origin
from bert_training.services.phases import COLUMNS as PHASE_COLUMNS
from bert_training.services.phases import enter_phase
from bert_training.services.profiles import note_token_lengths
from bert_training.services.proving.listed_results import headline_columns
from bert_training.services.proving.proofs import start_proof
from bert_training.services.transactions import short_transaction

logger = logging.getLogger(__name__)

CONTINUE = Directive.CONTINUE
LOSSES_UNTIL_FAILED = 3  # poison job guard (R7)


# --- rows under lock ----------------------------------------------------------------------------------------------


def lock_worker(worker: Worker) -> Worker:
    """Return the row of a worker that calls, locked until the transaction ends.

    Raises ServiceError worker_inactive when it was switched off since the call came in: it must not take its job back.
    """
    locked = Worker.objects.select_for_update(no_key=True).get(pk=worker.pk)
    if not locked.active:
        message = _("This worker has been deactivated.")
        raise ServiceError(ErrorCode.WORKER_INACTIVE, message, http_status=403)
    return locked


def lock_job(job_id: int) -> Job | None:
    """Return a job's row, locked until the transaction ends, or None."""
    jobs = Job.objects.select_for_update(of=("self",), no_key=True).select_related("run", "worker")
    return jobs.filter(pk=job_id).first()


def attempt_of(worker: Worker, job_id: int, number: int) -> tuple[Job, JobAttempt]:
    """Return a locked job and one attempt that this worker made on it.

    Raises ProtocolError not_found for a job that it never held (no enumeration), lease_lost for another's attempt.
    """
    job = lock_job(job_id)
    attempts = JobAttempt.objects.select_for_update(no_key=True).filter(job_id=job_id, worker=worker)
    if job is None or not attempts.exists():
        raise ProtocolError(ErrorCode.NOT_FOUND, _("There is no job %(id)s.") % {"id": job_id}, http_status=404)
    attempt = attempts.filter(number=number).first()
    if attempt is None:
        raise _lease_lost(job)
    return job, attempt


def held_job(worker: Worker, job_id: int, *, attempt: int) -> tuple[Job, JobAttempt]:
    """Return the locked job of the worker's current attempt, revived when nobody else has taken it meanwhile.

    Raises ProtocolError not_found, already_finished {status} or lease_lost {attempt}.
    """
    job, row = attempt_of(worker, job_id, attempt)
    if job.is_finished:
        raise ProtocolError(ErrorCode.ALREADY_FINISHED, _("The job has ended."), status=job.status)
    if attempt != job.attempt:
        raise _lease_lost(job)
    if job.status == JobStatus.QUEUED:
        _revive(worker, job, row)
    return job, row


def _lease_lost(job: Job) -> ProtocolError:
    message = _("Attempt %(number)s holds this job now.") % {"number": job.attempt}
    return ProtocolError(ErrorCode.LEASE_LOST, message, attempt=job.attempt)


def _revive(worker: Worker, job: Job, attempt: JobAttempt) -> None:
    """Give a lost job back to the worker that still trains it: nothing is thrown away for two minutes of silence."""
    holds_another = Job.objects.filter(worker=worker, status=JobStatus.RUNNING).exists()
    if attempt.outcome != Outcome.LOST or holds_another:
        raise _lease_lost(job)
    JobAttempt.objects.filter(pk=attempt.pk).update(outcome=Outcome.RUNNING.value, ended_at=None, reason="", message="")
    attempt.refresh_from_db()
    job.transition(JobStatus.RUNNING, worker=worker, lease_until=lease_end(), hold_worker=None, hold_until=None)
    logger.info("job revived", extra={"job": job.pk, "worker": worker.pk, "attempt": attempt.number})


# --- a running job ------------------------------------------------------------------------------------------------


@short_transaction
def renew_held_lease(worker: Worker, job_id: int, attempt: int) -> Directive:
    """Extend the lease at a heartbeat; returns what the worker shall do."""
    job, _row = held_job(lock_worker(worker), job_id, attempt=attempt)
    job.renew_lease()
    return job.directive()


@short_transaction
def report_progress(worker: Worker, job_id: int, progress: ProgressRequest) -> ProgressAnswer:
    """Note where an attempt is and renew its lease; a delayed report (lower step) changes nothing."""
    job, attempt = held_job(lock_worker(worker), job_id, attempt=progress.attempt)
    job.renew_lease()
    if progress.step >= job.step:
        _note_progress(job, attempt, progress)
    if progress.reproducibility is not None:
        Run.objects.filter(pk=job.run_id).update(reproducibility=progress.reproducibility.model_dump())
    if progress.token_lengths is not None:
        note_token_lengths(job.run, progress.token_lengths)
    Worker.objects.filter(pk=worker.pk).update(last_seen_at=Now())
    ring_after_commit(job)
    return ProgressAnswer(directive=job.directive(), lease_seconds=settings.LEASE_SECONDS)


def _note_progress(job: Job, attempt: JobAttempt, progress: ProgressRequest) -> None:
    epochs = job.run.hyperparameters.get("epochs", progress.epoch)
    step = min(progress.step, progress.total_steps) if progress.total_steps else progress.step
    checkpoint_step = max(job.checkpoint_step, progress.checkpoint_step)
    if progress.resumed_from_step is not None and attempt.resumed_from_step is None:
        attempt.resumed_from_step = progress.resumed_from_step
    attempt.last_step = step
    attempt.checkpoint_step = max(attempt.checkpoint_step, progress.checkpoint_step)
    enter_phase(attempt, progress.phase)
    columns = ["resumed_from_step", "last_step", "checkpoint_step", *PHASE_COLUMNS]
    if progress.remaining_seconds is not None:
        attempt.expected_end = Now() + timedelta(seconds=progress.remaining_seconds)
        columns.append("expected_end")
    attempt.save(update_fields=columns)
    Job.objects.filter(pk=job.pk).update(
        phase=progress.phase.value,
        epoch=min(progress.epoch, epochs),
        step=step,
        total_steps=progress.total_steps,
        checkpoint_step=checkpoint_step,
    )


@short_transaction
def complete_job(worker: Worker, job_id: int, report: CompleteRequest) -> CompleteAnswer:
    """End an attempt. Repeating the same report is answered the same; a stale attempt changes nothing."""
    worker = lock_worker(worker)
    job, attempt = attempt_of(worker, job_id, report.attempt)
    if attempt.outcome == report.outcome:
        return CompleteAnswer(status=JobStatus(job.status))
    job, attempt = held_job(worker, job_id, attempt=report.attempt)
    if report.outcome in (Outcome.COMPLETED, Outcome.FAILED):
        _require_whole_streams(attempt, report)
    if report.outcome is Outcome.RELEASED:
        requeue(job, outcome=Outcome.RELEASED, reason=_why_released(report))
    else:
        _end_job(job, attempt, report)
    Worker.objects.filter(pk=worker.pk).update(state=WorkerState.IDLE.value, last_seen_at=Now())
    ring_after_commit(job)
    logger.info("attempt ended", extra={"job": job.pk, "attempt": attempt.number, "outcome": report.outcome.value})
    return CompleteAnswer(status=JobStatus(job.status))


def _why_released(report: CompleteRequest) -> Reason:
    """Tell a pause from a worker that ends; the worker says it, for the pause may be over when its word arrives."""
    is_pause = report.error is not None and report.error.code == Reason.PAUSED
    return Reason.PAUSED if is_pause else Reason.RELEASED_BY_WORKER


def _require_whole_streams(attempt: JobAttempt, report: CompleteRequest) -> None:
    have = {counter: getattr(attempt, counter) for counter in ("log_seq", "metric_seq", "prediction_seq")}
    if any(have[counter] < getattr(report, counter) for counter in have):
        message = _("Not all log lines, metric points and predictions have arrived.")
        raise ProtocolError(ErrorCode.STREAM_INCOMPLETE, message, **have)


def _end_job(job: Job, attempt: JobAttempt, report: CompleteRequest) -> None:
    """Close attempt, job and run together."""
    facts: dict[str, object] = {}
    reason = message = ""
    if report.outcome is Outcome.COMPLETED and report.result is not None:
        result = report.result.model_dump(mode="json")
        facts = {
            "result": result,
            "model_fingerprint": report.result.model_fingerprint,
            **headline_columns(job.run, report.result.metrics),
        }
        if report.prediction_seq:
            start_proof(job.run_id)  # which tells people once it is there, with its figures
        else:
            note_run_ended(job.run_id, JobStatus.COMPLETED)
    elif report.outcome is Outcome.FAILED:
        reason, message = _failure(report)
    else:
        reason = Reason.CANCELED_BY_USER.value
    attempt.end(report.outcome, reason=reason, message=message)
    job.transition(JobStatus(report.outcome.value), lease_until=None)
    Run.objects.filter(pk=job.run_id).update(error_code=reason, error_message=message, **facts)
    if report.outcome is not Outcome.COMPLETED:
        note_run_ended(job.run_id, JobStatus(report.outcome.value))


def _failure(report: CompleteRequest) -> tuple[str, str]:
    if report.error is None:
        return Reason.CRASHED.value, ""
    known = {reason.value for reason in Reason}
    code = report.error.code if report.error.code in known else Reason.CRASHED.value
    return code, clean_text(report.error.message)


def requeue(job: Job, *, outcome: Outcome, reason: Reason, hold: bool = True) -> None:
    """End the current attempt and put the job back into the queue, unless that was its end.

    Lost, or given back for a pause, with a checkpoint, it waits AFFINITY_SECONDS for its worker, which alone can resume
    it: weights never travel.
    """
    job.attempts.get(number=job.attempt).end(outcome, reason=reason.value)
    if not end_if_over(job, outcome):
        is_resumed = outcome is Outcome.LOST or reason is Reason.PAUSED
        is_held = hold and is_resumed and job.checkpoint_step > 0
        job.transition(
            JobStatus.QUEUED,
            worker=None,
            lease_until=None,
            queued_at=Now(),
            hold_worker=job.worker if is_held else None,
            hold_until=hold_end() if is_held else None,
        )
    ring_after_commit(job)
    extra = {"job": job.pk, "attempt": job.attempt, "outcome": outcome.value, "reason": reason.value}
    logger.warning("attempt ended without a result", extra=extra)


def end_if_over(job: Job, outcome: Outcome) -> bool:
    """End the job with its attempt when a cancel was asked for, or when it takes down every worker (R7)."""
    if job.cancel_requested_at is not None:
        status, reason = JobStatus.CANCELED, Reason.CANCELED_BY_USER
    elif outcome is Outcome.LOST and _is_poison(job):
        status, reason = JobStatus.FAILED, Reason.WORKER_LOST
    else:
        return False
    job.transition(status, lease_until=None)
    Run.objects.filter(pk=job.run_id).update(error_code=reason.value)
    note_run_ended(job.run_id, status)
    ring_after_commit(job)
    return True


def _is_poison(job: Job) -> bool:
    """Tell whether the newest attempts were all lost after at least one step and without a newer checkpoint (R7)."""
    newest = list(job.attempts.order_by("-number")[:LOSSES_UNTIL_FAILED])
    return len(newest) == LOSSES_UNTIL_FAILED and all(
        attempt.outcome == Outcome.LOST
        and attempt.last_step >= 1
        and attempt.checkpoint_step <= (attempt.resumed_from_step or 0)
        for attempt in newest
    )


# --- people -------------------------------------------------------------------------------------------------------


@short_transaction
def cancel_job(job_id: int) -> None:
    """Cancel: at once in the queue, else by asking the worker. Raises AlreadyFinished."""
    job, person = _unfinished(job_id), current_origin().find_caller().person
    if job.status == JobStatus.QUEUED:
        job.transition(JobStatus.CANCELED, cancel_requested_at=Now(), cancel_requested_by=person)
        Run.objects.filter(pk=job.run_id).update(error_code=Reason.CANCELED_BY_USER.value)
        note_run_ended(job.run_id, JobStatus.CANCELED)
    else:
        unasked = Job.objects.filter(pk=job_id, cancel_requested_at__isnull=True)  # the first who asked is named
        unasked.update(cancel_requested_at=Now(), cancel_requested_by=person)
    record(AuditKind.RUN_CANCELED, target=job.run, status=job.status)
    ring_after_commit(job)


@short_transaction
def finish_job(job_id: int) -> None:
    """Ask the worker to stop training now and keep the best network so far.

    Raises AlreadyFinished, or ServiceError not_running while there is no network to keep.
    """
    job = _unfinished(job_id)
    if job.status != JobStatus.RUNNING:
        raise ServiceError(ErrorCode.NOT_RUNNING, _("The run has not begun: cancel it instead."), http_status=409)
    Job.objects.filter(pk=job_id).update(finish_requested_at=Coalesce("finish_requested_at", Now()))
    record(AuditKind.RUN_FINISHED_EARLY, target=job.run)
    ring_after_commit(job)


def _unfinished(job_id: int) -> Job:
    job = lock_job(job_id)
    if job is None or job.is_finished:
        status = job.status if job is not None else ""
        message = _("The run has ended already.")
        raise AlreadyFinished(ErrorCode.ALREADY_FINISHED, message, status=status)
    return job


def ring_after_commit(job: Job) -> None:
    run_id = job.run_id
    transaction.on_commit(lambda: ring(run_id))
