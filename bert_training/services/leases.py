"""Takes jobs back from workers that fell silent, and never for a silence of the portal's own (protocol section 6).

Only web processes tick: a worker cannot be blamed for silence while the door was shut.
"""

import logging
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q
from django.db.models.functions import Now

from bert_training.contract.enums import JobStatus, Outcome, Reason
from bert_training.models import Job, JobAttempt, PortalTick, Worker
from bert_training.models.job import TransitionRefused, hold_end, lease_end
from bert_training.services import jobs
from bert_training.services.transactions import short_transaction

logger = logging.getLogger(__name__)

_started = threading.Event()
# Another process that ticks at the same time may write a moment after the start of our statement, which waited for the
# row: that is no clock that stepped back.
ABREAST = timedelta(seconds=1)


def start_ticking() -> None:
    """Start the one thread of this process that ticks every TICK_SECONDS, once."""
    if _started.is_set():
        return
    _started.set()
    threading.Thread(target=_tick_for_ever, name="lease-tick", daemon=True).start()


def _tick_for_ever() -> None:
    while True:
        try:
            expire_leases()
        except (DatabaseError, InterfaceError) as error:
            # The database is away or being migrated: nothing may expire meanwhile, and the next tick tries again.
            logger.warning("tick failed", extra={"error": type(error).__name__})
        except Exception:
            # A tick that died would mean that no lease expires any more, silently.
            logger.exception("tick failed")
        finally:
            connection.close()
        time.sleep(settings.TICK_SECONDS)


def expire_leases() -> int:
    """Note that the portal hears, then requeue jobs whose lease lapsed while it was listening; returns how many."""
    note_tick()
    _cut_what_reaches_too_far()
    listening_since = Now() - timedelta(seconds=2 * settings.LEASE_SECONDS)
    if not PortalTick.objects.filter(heard_since__lte=listening_since).exists():
        return 0
    lapsed = list(Job.objects.lapsed().values_list("pk", flat=True))
    return sum(_expire_alone(pk) for pk in lapsed)


def _cut_what_reaches_too_far() -> None:
    """Bring back what a clock that was ahead has written, otherwise it would keep a job for as long as it was ahead."""
    Job.objects.filter(status=JobStatus.RUNNING, lease_until__gt=lease_end()).update(lease_until=lease_end())
    Job.objects.filter(status=JobStatus.QUEUED, hold_until__gt=hold_end()).update(hold_until=hold_end())
    Worker.objects.filter(last_seen_at__gt=Now()).update(last_seen_at=Now())


def _expire_alone(pk: int) -> bool:
    """Take one job back; a row that resists does not keep the others from being taken back."""
    try:
        return _expire(pk)
    except (TransitionRefused, JobAttempt.DoesNotExist):
        logger.exception("job not taken back", extra={"job": pk})
        return False


def note_tick() -> None:
    """Write that the portal hears now; after a pause, or when the clock stepped back, it has heard only since now."""
    PortalTick.objects.get_or_create(pk=1, defaults={"heard_since": Now(), "heard_at": Now()})
    pause = timedelta(seconds=settings.LEASE_SECONDS / 2)
    was_deaf = Q(heard_at__lt=Now() - pause) | Q(heard_at__gt=Now() + ABREAST)
    if not PortalTick.objects.filter(was_deaf, pk=1).update(heard_since=Now(), heard_at=Now()):
        PortalTick.objects.filter(pk=1).update(heard_at=Now())


@short_transaction
def _expire(pk: int) -> bool:
    """Take one job back, if its lease is still lapsed under its lock."""
    jobs.lock_job(pk)
    job = Job.objects.lapsed().select_related("run", "worker").filter(pk=pk).first()
    if job is None:
        return False
    jobs.requeue(job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    return True
