"""Looks at the queue as a whole, for people and for monitoring."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from bert_training.contract.enums import JobStatus, WorkerState
from bert_training.models import Job, Worker
from bert_training.models.worker import silence_limit


def queue_status() -> dict[str, Any]:
    """Count jobs and workers; `silent` are running jobs whose worker has fallen silent."""
    now = timezone.now()
    lease_of_a_silent_one = now + timedelta(seconds=settings.LEASE_SECONDS) - silence_limit()
    jobs = Job.objects.aggregate(
        queued=Count("pk", filter=Q(status=JobStatus.QUEUED)),
        running=Count("pk", filter=Q(status=JobStatus.RUNNING)),
        silent=Count("pk", filter=Q(status=JobStatus.RUNNING, lease_until__lt=lease_of_a_silent_one)),
        oldest=Min("queued_at", filter=Q(status=JobStatus.QUEUED)),
    )
    oldest = jobs.pop("oldest")
    seconds = max(0.0, (now - oldest).total_seconds()) if oldest else None
    return {**jobs, "oldest_queued_seconds": seconds, "workers": _worker_counts()}


def _worker_counts() -> dict[str, Any]:
    online = Q(active=True, last_seen_at__gte=timezone.now() - silence_limit()) & ~Q(state=WorkerState.STOPPED)
    counts: dict[str, Any] = Worker.objects.aggregate(
        registered=Count("pk", filter=Q(active=True)),
        online=Count("pk", filter=online),
        busy=Count("pk", filter=online & Q(state="busy")),
        last_seen_at=Max("last_seen_at"),
    )
    return counts
