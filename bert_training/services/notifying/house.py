"""Watches over what nobody reports by itself: computers that fell silent, disks, tokens about to end, deletions.

Each finding is noted once: its key says what it is about and since when.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from bert_training.contract.enums import NoticeKind, Reason, WorkerState
from bert_training.models import AccessToken, Erasure, ErasureCopy, JobAttempt, Occurrence, PortalTick, Worker
from bert_training.services.notifying.occurrences import note_of_house

SILENCE = timedelta(minutes=10)
SILENCE_FORGOTTEN = timedelta(days=1)  # who was silent before that is no news
TOKEN_WARNING = timedelta(days=7)
DISK_BYTES = 1024**3
ERASURE_PATIENCE = timedelta(days=7)
ERASURE_FORGOTTEN = timedelta(days=60)  # below how long notifications are kept: else each would be told again


@dataclass(frozen=True)
class Finding:
    """Something to look at; key: what it is about, and since when or in which week."""

    kind: NoticeKind
    key: str
    worker: Worker | None = None
    number: int | None = None


def watch() -> int:
    """Note what is new among what should be looked at; returns how much that is."""
    now = timezone.now()
    findings = [*_silent_workers(now), *_tokens(now), *_disks(now), *_erasures(now)]
    known = set(Occurrence.objects.filter(key__in=[one.key for one in findings]).values_list("key", flat=True))
    new = [one for one in findings if one.key not in known]
    for one in new:
        note_of_house(one.kind, one.key, worker=one.worker, number=one.number)
    return len(new)


def _silent_workers(now: datetime) -> Iterator[Finding]:
    """Find computers that have not been heard of while the portal did hear: never blame them for its own silence."""
    if not PortalTick.objects.filter(heard_since__lte=now - SILENCE).exists():
        return
    silent = Worker.objects.filter(
        active=True, last_seen_at__lte=now - SILENCE, last_seen_at__gt=now - SILENCE_FORGOTTEN
    )
    for worker in silent.exclude(state=WorkerState.STOPPED):
        since = f"{worker.last_seen_at:%Y%m%d%H%M%S}"
        yield Finding(NoticeKind.WORKER_SILENT, f"worker-silent:{worker.pk}:{since}", worker=worker)


def _tokens(now: datetime) -> Iterator[Finding]:
    """Find tokens that end within a week and have no successor."""
    ending = AccessToken.objects.filter(expires_at__gt=now, expires_at__lte=now + TOKEN_WARNING)
    for token in ending.filter(revoked_at__isnull=True, replaced_by__isnull=True).select_related("worker"):
        kind = NoticeKind.WORKER_TOKEN_EXPIRING if token.worker else NoticeKind.TOKEN_EXPIRING
        yield Finding(kind, f"token-expiring:{token.pk}", worker=token.worker, number=token.pk)


def _disks(now: datetime) -> Iterator[Finding]:
    """Find disks with hardly any room, the portal's too; once a week as long as it stays so."""
    week = f"{now:%G-%V}"
    ended = JobAttempt.objects.filter(reason=Reason.DISK_FULL, ended_at__gt=now - timedelta(days=1))
    failed = set(ended.values_list("worker", flat=True))
    for worker in Worker.objects.filter(active=True):
        free = worker.hardware.get("disk_free")
        if worker.pk in failed or (free is not None and free < DISK_BYTES):
            yield Finding(NoticeKind.DISK_FULL, f"disk-full:{worker.pk}:{week}", worker=worker)
    if shutil.disk_usage(settings.DATA_DIR).free < DISK_BYTES:
        yield Finding(NoticeKind.DISK_FULL, f"disk-full:portal:{week}")


def _erasures(now: datetime) -> Iterator[Finding]:
    """Find deletions that a computer has not confirmed for a week."""
    old = Erasure.objects.filter(created_at__lte=now - ERASURE_PATIENCE, created_at__gt=now - ERASURE_FORGOTTEN)
    for pk in old.filter(pk__in=ErasureCopy.objects.open().values("erasure")).values_list("pk", flat=True):
        yield Finding(NoticeKind.ERASURE_WAITING, f"erasure-waiting:{pk}", number=pk)
