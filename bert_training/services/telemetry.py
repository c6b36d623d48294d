"""Takes log lines and metric points of an attempt, and reads them back by cursor."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, LogLevel
from bert_training.contract.limits import LOG_BYTES_PER_RUN, LOG_LINES_PER_RUN, METRIC_NAMES_PER_RUN
from bert_training.contract.streams import LogBatch, LogLine, MetricBatch, MetricPoint, StreamAnswer
from bert_training.contract.text import clean_line
from bert_training.models import Job, Log, Metric, Worker
from bert_training.services.errors import ProtocolError
from bert_training.services.streams import BatchPlace, StreamTable, append_records
from bert_training.services.transactions import short_transaction

logger = logging.getLogger(__name__)

LEVELS = frozenset(level.value for level in LogLevel)
OLDEST_PLAUSIBLE = datetime(2000, 1, 1, tzinfo=UTC)
PAGE_RECORDS = 500

LOGS = StreamTable("bert_logs", "log_seq", {"timestamp": "timestamptz", "level": "text", "message": "text"})
METRICS = StreamTable(
    "bert_metrics",
    "metric_seq",
    {"epoch": "int", "step": "int", "split": "text", "values": "jsonb", "received_at": "timestamptz"},
)


@short_transaction
def append_logs(worker: Worker, batch: LogBatch) -> StreamAnswer:
    """Store the lines that are not stored yet; raises ProtocolError stream_gap when lines before them are missing."""
    return append_records(worker, _place(batch), batch.lines, table=LOGS, to_columns=_log_columns)


@short_transaction
def append_metrics(worker: Worker, batch: MetricBatch) -> StreamAnswer:
    """Store the points that are not stored yet; raises ProtocolError stream_gap when points before them are missing."""
    return append_records(worker, _place(batch), batch.points, table=METRICS, to_columns=_metric_columns)


def _place(batch: LogBatch | MetricBatch) -> BatchPlace:
    return BatchPlace(batch.job_id, batch.attempt, batch.first_seq)


def _log_columns(job: Job, lines: Sequence[LogLine]) -> Sequence[Sequence[Any]]:
    """Past the run's limit lines are counted and acknowledged but not stored, with one notice."""
    rows: list[tuple[datetime, str, str]] = []
    now = timezone.now()
    for line in lines:
        if _is_full(job):
            break
        stamp, level, message = _row(line, now)
        job.log_lines += 1
        job.log_bytes += len(message.encode())
        if _is_full(job):
            message = "The log of this run is full; further lines stay on the worker only."
        rows.append((stamp, level, message))
    return [[row[place] for row in rows] for place in range(len(LOGS.columns))]


def _row(line: LogLine, now: datetime) -> tuple[datetime, str, str]:
    """Return time, level and message as they are stored: what cannot be true never blocks the stream."""
    level = line.level if line.level in LEVELS else LogLevel.INFO.value
    stamp = _timestamp(line.ts, now)
    if stamp is None:
        return now, level, clean_line(f"[{line.ts}] {line.message}")
    return stamp, level, clean_line(line.message)


def _is_full(job: Job) -> bool:
    return job.log_bytes >= LOG_BYTES_PER_RUN or job.log_lines >= LOG_LINES_PER_RUN


def _timestamp(text: str, now: datetime) -> datetime | None:
    """Parse an ISO time with zone; None when it is not one or cannot be true (years before 2000, far future)."""
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    if stamp.tzinfo is None or stamp < OLDEST_PLAUSIBLE or stamp.year > now.year + 1:
        return None
    return stamp.astimezone(UTC)  # a zone 16 hours off is a time for Python but none for PostgreSQL


def _metric_columns(job: Job, points: Sequence[MetricPoint]) -> Sequence[Sequence[Any]]:
    """Raises ProtocolError invalid_field when the run gets more than METRIC_NAMES_PER_RUN figures."""
    job.metric_names = sorted({*job.metric_names, *(name for point in points for name in point.values)})
    if len(job.metric_names) > METRIC_NAMES_PER_RUN:
        message = _("A run has at most %(limit)s figures.") % {"limit": METRIC_NAMES_PER_RUN}
        errors = [{"path": "points", "message": message}]
        raise ProtocolError(ErrorCode.INVALID_FIELD, message, http_status=400, errors=errors)
    return (
        [point.epoch for point in points],
        [point.step for point in points],
        [str(point.split) for point in points],
        [point.values for point in points],
        [timezone.now()] * len(points),
    )


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
