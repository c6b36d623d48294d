"""Registers workers, listens to their heartbeats, switches them off and on."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, Directive, ErrorCode, JobStatus, Outcome, Reason, WorkerState
from bert_training.contract.limits import PROTOCOL_MIN, PROTOCOL_VERSION
from bert_training.contract.messages import HeartbeatAnswer, HeartbeatRequest, ProtocolRange, RegisteredWorker
from bert_training.contract.text import clean_text
from bert_training.models import Job, Worker
from bert_training.models.job import hold_end
from bert_training.services import claims, erasures, jobs
from bert_training.services.audit import record
from bert_training.services.errors import ServiceError
from bert_training.services.tokens import issue_worker_token
from bert_training.services.transactions import short_transaction

# For so long a run that was given back waits for its paused computer; then any other may begin it anew.
LONGEST_PAUSE = timedelta(hours=12)


def register_worker(*, name: str, description: str = "", days: int | None = None) -> RegisteredWorker:
    """Create a worker and its token, which is shown this once. A name that is taken or blank is refused.

    days: how long the token is valid, None until it is revoked.
    """
    name = clean_text(name).strip()
    if not name:
        raise ServiceError(
            ErrorCode.INVALID_FIELD, _("The name must not be empty."), errors=_on_name(_("Give a name."))
        )
    try:
        with transaction.atomic():
            worker = Worker.objects.create(name=name, description=clean_text(description))
            row, token = issue_worker_token(worker, days=days)
            record(AuditKind.WORKER_REGISTERED, target=worker)
    except IntegrityError:
        message = _("There is a worker called %(name)s already.") % {"name": name}
        raise ServiceError(ErrorCode.INVALID_FIELD, message, errors=_on_name(message)) from None
    return RegisteredWorker(id=worker.pk, name=worker.name, token=token, prefix=row.prefix)


def _on_name(message: str) -> list[dict[str, str]]:
    return [{"path": "name", "message": message}]


def record_heartbeat(worker: Worker, beat: HeartbeatRequest) -> HeartbeatAnswer:
    """Note that a worker lives, renew the lease of the job that it holds, and tell it what to do.

    Two transactions: the sign of life stays even when the second raises ProtocolError lease_lost or already_finished.
    """
    now = timezone.now()
    worker = _note_beat(worker, beat, now)
    directive = Directive.DRAIN if worker.draining else Directive.CONTINUE
    if beat.job_id is not None and beat.attempt is not None:
        directive = jobs.renew_held_lease(worker, beat.job_id, beat.attempt)
    return HeartbeatAnswer(
        server_time=now,
        directive=directive,
        lease_seconds=settings.LEASE_SECONDS,
        heartbeat_seconds=settings.HEARTBEAT_SECONDS,
        protocol=ProtocolRange(min=PROTOCOL_MIN, max=PROTOCOL_VERSION),
        forget=erasures.orders_for(worker, beat.instance),
    )


@short_transaction
def _note_beat(worker: Worker, beat: HeartbeatRequest, now: datetime) -> Worker:
    worker = jobs.lock_worker(worker)
    erasures.confirm(worker, beat.instance, beat.forgotten)
    if not claims.is_same_machine(worker, beat.instance):
        return worker  # a second computer with this token, which waits: it must not keep the first one fresh
    Worker.objects.filter(pk=worker.pk).update(
        state=beat.state.value,
        last_seen_at=Now(),
        clock_skew_seconds=(beat.sent_at - now).total_seconds() if beat.sent_at.tzinfo else 0.0,
        hardware=_hardware_of(beat),
    )
    if worker.paused_at is not None and now - worker.paused_at < LONGEST_PAUSE:
        _keep_waiting_runs(worker)
    return worker


def _hardware_of(beat: HeartbeatRequest) -> dict[str, Any]:
    """Return what is shown of a heartbeat; what older workers do not tell is left out."""
    told = {name: getattr(beat, name) for name in ("disk_bytes", "cpu", "memory_bytes", "memory_used_bytes")}
    known = {name: value for name, value in told.items() if value is not None}
    return {"gpu": [gpu.model_dump() for gpu in beat.gpu], "disk_free": beat.disk_free, **known}


def _keep_waiting_runs(worker: Worker) -> None:
    """Have the runs that only this worker can resume wait on: it is paused, and there."""
    Job.objects.filter(status=JobStatus.QUEUED, hold_worker=worker).update(hold_until=hold_end())


@short_transaction
def set_worker_active(worker: Worker, active: bool) -> None:
    """Switch a worker off or on. Switching off ends its attempt at once and offers the job to others."""
    worker = Worker.objects.select_for_update(no_key=True).get(pk=worker.pk)
    Worker.objects.filter(pk=worker.pk).update(active=active, state=WorkerState.IDLE.value)
    record(AuditKind.WORKER_ACTIVATED if active else AuditKind.WORKER_DEACTIVATED, target=worker)
    if active:
        return
    Job.objects.filter(hold_worker=worker).update(hold_worker=None, hold_until=None)
    held = Job.objects.select_for_update(of=("self",), no_key=True).select_related("run", "worker")
    for job in held.filter(worker=worker, status=JobStatus.RUNNING):
        jobs.requeue(job, outcome=Outcome.LOST, reason=Reason.WORKER_INACTIVE, hold=False)


@short_transaction
def set_worker_draining(worker: Worker, draining: bool) -> None:
    """Let a worker finish its job and claim no more, or claim again, which ends a pause too."""
    if draining:
        Worker.objects.filter(pk=worker.pk).update(draining=True)
    elif Worker.objects.filter(pk=worker.pk, paused_at__isnull=True).update(draining=False) == 0:
        Worker.objects.filter(pk=worker.pk).update(draining=False, paused_at=None)
        _keep_waiting_runs(worker)
    record(AuditKind.WORKER_DRAINING if draining else AuditKind.WORKER_DRAINING_ENDED, target=worker)


@short_transaction
def pause_worker(worker: Worker) -> None:
    """Have a worker give its job back at the next checkpoint and claim no more until it is resumed.

    The run waits for it, up to LONGEST_PAUSE and while the worker is heard of. One too old to pause ends its job first.
    """
    Worker.objects.filter(pk=worker.pk).update(draining=True, paused_at=Coalesce("paused_at", Now()))
    record(AuditKind.WORKER_PAUSED, target=worker)


@short_transaction
def offer_to_others(worker: Worker) -> None:
    """Let any worker take the runs that wait for this one; another begins them anew."""
    for job in Job.objects.filter(status=JobStatus.QUEUED, hold_worker=worker).select_related("run"):
        Job.objects.filter(pk=job.pk, status=JobStatus.QUEUED).update(hold_worker=None, hold_until=None)
        record(AuditKind.QUEUE_REORDERED, target=job, move="offered")
        jobs.ring_after_commit(job)
