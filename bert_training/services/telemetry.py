"""Takes the numbered streams of an attempt (log lines, metric points) and reads them back by cursor.

The stream is written once, for any record: `_append` knows numbers and locks, two small functions know the rows.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, LogLevel, Outcome
from bert_training.contract.limits import LOG_BYTES_PER_RUN, LOG_LINES_PER_RUN, METRIC_NAMES_PER_RUN
from bert_training.contract.messages import LogBatch, LogLine, MetricBatch, MetricPoint, StreamAnswer
from bert_training.contract.text import clean_line
from bert_training.live.publish import ring
from bert_training.models import Job, JobAttempt, Log, Metric, Worker
from bert_training.services import jobs
from bert_training.services.errors import ProtocolError
from bert_training.services.transactions import short_transaction

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
LEVELS = frozenset(level.value for level in LogLevel)
OLDEST_PLAUSIBLE = datetime(2000, 1, 1, tzinfo=UTC)
PAGE_RECORDS = 500


@short_transaction
def append_logs(worker: Worker, batch: LogBatch) -> StreamAnswer:
    """Store the lines that are not stored yet; raises ProtocolError stream_gap when lines before them are missing."""
    return _append(worker, batch.job_id, batch.attempt, batch.first_seq, batch.lines, "log_seq", _log_rows)


@short_transaction
def append_metrics(worker: Worker, batch: MetricBatch) -> StreamAnswer:
    """Store the points that are not stored yet; raises ProtocolError stream_gap when points before them are missing."""
    return _append(worker, batch.job_id, batch.attempt, batch.first_seq, batch.points, "metric_seq", _metric_rows)


def _append(
    worker: Worker,
    job_id: int,
    number: int,
    first_seq: int,
    items: Sequence[Item],
    counter: str,
    to_rows: Callable[[Job, JobAttempt, Sequence[tuple[int, Item]]], Sequence[models.Model]],
) -> StreamAnswer:
    """Batch rule of the protocol, under the job's lock: gap = 409, known = no-op, overlap = the tail only.

    Accepted late too, after the attempt or the job ended: it changes no state and renews no lease (R3).
    """
    job, attempt = jobs.attempt_of(worker, job_id, number)
    next_seq: int = getattr(attempt, counter) + 1
    if first_seq > next_seq:
        message = _("Records from %(number)s on are missing.") % {"number": next_seq}
        raise ProtocolError(ErrorCode.STREAM_GAP, message, next_seq=next_seq)
    fresh = [(seq, item) for seq, item in enumerate(items, start=first_seq) if seq >= next_seq]
    if fresh:
        rows = to_rows(job, attempt, fresh)
        if rows:
            type(rows[0])._default_manager.bulk_create(rows)
        setattr(attempt, counter, next_seq + len(fresh) - 1)
        attempt.save(update_fields=[counter])
        job.save(update_fields=["log_lines", "log_bytes", "metric_names"])
        transaction.on_commit(lambda: ring(job.run_id))
    current = job.attempt == number and attempt.outcome == Outcome.RUNNING
    directive = job.directive() if current else jobs.CONTINUE
    return StreamAnswer(next_seq=next_seq + len(fresh), directive=directive)


def _log_rows(job: Job, attempt: JobAttempt, lines: Sequence[tuple[int, LogLine]]) -> list[Log]:
    """Build the rows; past the run's limit lines are counted and acknowledged but not stored, with one notice."""
    rows = []
    for seq, line in lines:
        if _is_full(job):
            break
        message, stamp = clean_line(line.message), _timestamp(line.ts)
        if stamp is None:
            message, stamp = clean_line(f"[{line.ts}] {line.message}"), timezone.now()
        job.log_lines += 1
        job.log_bytes += len(message.encode())
        if _is_full(job):
            message = "The log of this run is full; further lines stay on the worker only."
        level = line.level if line.level in LEVELS else LogLevel.INFO.value
        rows.append(Log(run_id=job.run_id, attempt=attempt, seq=seq, timestamp=stamp, level=level, message=message))
    return rows


def _is_full(job: Job) -> bool:
    return job.log_bytes >= LOG_BYTES_PER_RUN or job.log_lines >= LOG_LINES_PER_RUN


def _timestamp(text: str) -> datetime | None:
    """Parse an ISO time with zone; None when it is not one or cannot be true (years before 2000, far future)."""
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    if stamp.tzinfo is None or stamp < OLDEST_PLAUSIBLE or stamp.year > timezone.now().year + 1:
        return None
    return stamp


def _metric_rows(job: Job, attempt: JobAttempt, points: Sequence[tuple[int, MetricPoint]]) -> list[Metric]:
    """Build the rows; a run has at most METRIC_NAMES_PER_RUN figures."""
    job.metric_names = sorted({*job.metric_names, *(name for _seq, point in points for name in point.values)})
    if len(job.metric_names) > METRIC_NAMES_PER_RUN:
        message = _("A run has at most %(limit)s figures.") % {"limit": METRIC_NAMES_PER_RUN}
        errors = [{"path": "points", "message": message}]
        raise ProtocolError(ErrorCode.INVALID_FIELD, message, http_status=400, errors=errors)
    return [
        Metric(
            run_id=job.run_id,
            attempt=attempt,
            seq=seq,
            epoch=point.epoch,
            step=point.step,
            split=point.split.value,
            values=point.values,
        )
        for seq, point in points
    ]


@dataclass(frozen=True)
class Telemetry:
    """Records after a pair of cursors, in order; each has its own `cursor`."""

    logs: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)


def telemetry_since(
    run_id: int,
    *,
    logs_after: int = 0,
    metrics_after: int = 0,
    limit: int = PAGE_RECORDS,
    level: str = "",
    split: str = "",
) -> Telemetry:
    """Read what a viewer has not seen yet: the one reader behind first render, JSON, SSE and websocket."""
    return Telemetry(
        logs=logs_since(run_id, after=logs_after, limit=limit, level=level),
        metrics=metrics_since(run_id, after=metrics_after, limit=limit, split=split),
    )


def logs_since(run_id: int, *, after: int = 0, limit: int = PAGE_RECORDS, level: str = "") -> list[dict[str, Any]]:
    """Read log lines after a cursor, oldest first."""
    rows = Log.objects.filter(run_id=run_id, id__gt=after)
    if level:
        rows = rows.filter(level=level)
    fields = ("id", "attempt__number", "seq", "timestamp", "level", "message")
    return [
        {"cursor": pk, "attempt": number, "seq": seq, "ts": iso_utc(stamp), "level": level_, "message": message}
        for pk, number, seq, stamp, level_, message in rows.order_by("id").values_list(*fields)[:limit]
    ]


def metrics_since(run_id: int, *, after: int = 0, limit: int = PAGE_RECORDS, split: str = "") -> list[dict[str, Any]]:
    """Read metric points after a cursor, oldest first."""
    rows = Metric.objects.filter(run_id=run_id, id__gt=after)
    if split:
        rows = rows.filter(split=split)
    fields = ("id", "attempt__number", "epoch", "step", "split", "values")
    return [
        {"cursor": pk, "attempt": number, "epoch": epoch, "step": step, "split": split_, "values": values}
        for pk, number, epoch, step, split_, values in rows.order_by("id").values_list(*fields)[:limit]
    ]


def iso_utc(moment: datetime) -> str:
    """Write a time as the API does: ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
