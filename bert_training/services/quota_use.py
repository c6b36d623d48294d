"""How much people have of what quotas limit, by owner: one or two queries for all of them, however many rows.

datasets, storage_bytes: not deleted ones; the files as they were sent and the table made of them.
queued_runs: all that wait in the queue, repeats too.
gpu_minutes: wall time of attempts in this calendar month of TIME_ZONE, of those that run up to now, also of runs that
    were deleted since; simulations are not counted.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db.models import Count, DateTimeField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from bert_training.contract.enums import JobStatus, QuotaKind
from bert_training.models import Dataset, DeletedGpuTime, JobAttempt, Run

Owners = frozenset[int]


def used_by(kind: QuotaKind, owners: Owners) -> Mapping[int, int]:
    """Return how much each owner has of something; GPU time in seconds. Who has nothing may be missing."""
    return _COUNT[kind](owners) if owners else {}


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Return when the calendar month of a moment begins and ends, in TIME_ZONE."""
    zone = timezone.get_default_timezone()
    first = moment.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    next_month = (first + timedelta(days=32)).replace(day=1)
    return first, next_month


def keep_gpu_time(runs: QuerySet[Run]) -> None:
    """Note what runs that are about to be deleted have used this month: deleting them gives no minutes back."""
    month = month_of(timezone.now())[0]
    for owner, seconds in _gpu_seconds(Q(job__run__in=runs.values("pk")), month).items():
        DeletedGpuTime.objects.create(owner_id=owner, month=month, seconds=seconds)


def _kept(owners: Owners) -> QuerySet[Dataset]:
    return Dataset.objects.filter(owner__in=owners, deleted_at__isnull=True)


def _datasets(owners: Owners) -> Mapping[int, int]:
    return dict(_kept(owners).values_list("owner").annotate(Count("pk")).order_by())


def _stored_bytes(owners: Owners) -> Mapping[int, int]:
    sums = _kept(owners).values_list("owner").annotate(total=Sum(F("bytes") + F("table_bytes"))).order_by()
    stored = Counter({owner: total or 0 for owner, total in sums})
    for owner, files in _kept(owners).exclude(extra_files={}).values_list("owner", "extra_files"):
        stored[owner] += sum(file["bytes"] for file in files.values())
    return stored


def _queued_runs(owners: Owners) -> Mapping[int, int]:
    queued = Run.objects.filter(owner__in=owners, status=JobStatus.QUEUED)
    return dict(queued.values_list("owner").annotate(Count("pk")).order_by())


def _gpu_seconds_of_owners(owners: Owners) -> Mapping[int, int]:
    month = month_of(timezone.now())[0]
    seconds = Counter(_gpu_seconds(Q(job__run__owner__in=owners), month))
    deleted = DeletedGpuTime.objects.filter(owner__in=owners, month=month)
    for owner, total in deleted.values_list("owner").annotate(Sum("seconds")).order_by():
        seconds[owner] += int(total)
    return seconds


def _gpu_seconds(wanted: Q, month: datetime) -> dict[int, int]:
    """Return how long attempts have kept a GPU busy since a month began, by the owner of their run."""
    began = Greatest(F("started_at"), Value(month, output_field=DateTimeField()))
    busy = Coalesce(F("ended_at"), Now()) - began
    attempts = JobAttempt.objects.filter(wanted, job__simulate=False)
    attempts = attempts.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=month))
    sums = attempts.values_list("job__run__owner").annotate(total=Sum(busy)).order_by()
    return {owner: max(0, int(total.total_seconds())) for owner, total in sums}


_COUNT: dict[QuotaKind, Callable[[Owners], Mapping[int, int]]] = {
    QuotaKind.DATASETS: _datasets,
    QuotaKind.STORAGE_BYTES: _stored_bytes,
    QuotaKind.QUEUED_RUNS: _queued_runs,
    QuotaKind.GPU_MINUTES: _gpu_seconds_of_owners,
}
