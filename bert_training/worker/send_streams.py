"""The numbered streams of one attempt as they are sent: batches from the spool, smaller ones where one is refused.

A log line or point that the portal refuses is sent without its content, so that the stream goes on. Predictions are
worth something only when all are there: one that cannot be sent ends their stream, and the run has no proof.
"""

import logging
from abc import ABC, abstractmethod
from typing import Any

from pydantic import ValidationError

from bert_training.contract.enums import LogLevel, Split
from bert_training.contract.limits import JSON_BODY_BYTES, LINES_PER_BATCH
from bert_training.contract.streams import (
    LogBatch,
    LogLine,
    MetricBatch,
    MetricPoint,
    PredictionBatch,
    PredictionRow,
    StreamAnswer,
)
from bert_training.worker.client import PortalClient
from bert_training.worker.orders import JobOrders
from bert_training.worker.spool import LOG, METRIC, Record, SpoolReader

BATCH_BYTES = JSON_BODY_BYTES - 64 * 1024
REFUSED_LINE = "[line refused by the portal]"

logger = logging.getLogger(__name__)


class Unsendable(Exception):
    """A record that the portal will never take, and without which the others of its stream are worth nothing."""


class Stream(ABC):
    """One numbered stream of one attempt, read from `reader`."""

    def __init__(self, reader: SpoolReader, client: PortalClient, orders: JobOrders) -> None:
        self.reader = reader
        self.client = client
        self.job_id, self.attempt = orders.job_id, orders.attempt
        self._is_abandoned = False
        self._most = LINES_PER_BATCH

    @abstractmethod
    def post(self, first: int, records: list[Record]) -> StreamAnswer:
        """Send records, of which the first has this number. Raises what the client raises, and Unsendable."""

    @abstractmethod
    def neutral(self, record: Record) -> Record:
        """Return what is sent instead of a record that was refused. Raises Unsendable."""

    @property
    def delivered(self) -> int:
        """Return how many records the portal has; of a stream that was abandoned none is of use."""
        return 0 if self._is_abandoned else self.reader.next_seq - 1

    def send_next(self, end: int) -> StreamAnswer | None:
        """Send one batch that ends by offset `end`; None when there is none. Raises what the client raises."""
        records = self._next_records(end)
        return self._deliver(records, records, end=end) if records else None

    def shrink(self, end: int) -> StreamAnswer | None:
        """After a refused batch: halve the next one, or send the single guilty record without its content."""
        records = self._next_records(end)
        if len(records) > 1:
            self._most = len(records) // 2
            return None
        logger.warning("the portal refused record %d; the original stays in the spool", self.reader.next_seq)
        try:
            return self._deliver(records, [self.neutral(record) for record in records], end=end)
        except Unsendable as error:
            self._abandon(error)
            return None

    def _next_records(self, end: int) -> list[Record]:
        if self._is_abandoned:
            return []
        return self.reader.read(end=end, most=self._most, most_bytes=BATCH_BYTES)

    def _deliver(self, records: list[Record], sent: list[Record], *, end: int) -> StreamAnswer | None:
        try:
            answer = self.post(self.reader.next_seq, sent)
        except Unsendable as error:
            self._abandon(error)
            return None
        self.reader.advance(records)
        self._most = min(LINES_PER_BATCH, 2 * self._most)
        if answer.next_seq != self.reader.next_seq:
            logger.warning("the portal expects record %d, we are at %d", answer.next_seq, self.reader.next_seq)
            self.reader.rewind(answer.next_seq, end=end)
        return answer

    def _abandon(self, error: Unsendable) -> None:
        logger.warning("job %d: no predictions are sent: %s", self.job_id, error)
        self._is_abandoned = True


class LogStream(Stream):
    """The lines of the log."""

    def post(self, first: int, records: list[Record]) -> StreamAnswer:
        """Send lines; an unreadable one as a notice."""
        lines = [_line(record) for record in records]
        return self.client.post_logs(LogBatch(job_id=self.job_id, attempt=self.attempt, first_seq=first, lines=lines))

    def neutral(self, record: Record) -> Record:
        """Return a notice with the line's time and level."""
        content = {**_line(record).model_dump(), "message": REFUSED_LINE}
        return Record(LOG, content, record.size, record.end)


class MetricStream(Stream):
    """The points of the charts."""

    def post(self, first: int, records: list[Record]) -> StreamAnswer:
        """Send points; an unreadable one without figures."""
        points = [_point(record) for record in records]
        batch = MetricBatch(job_id=self.job_id, attempt=self.attempt, first_seq=first, points=points)
        return self.client.post_metrics(batch)

    def neutral(self, record: Record) -> Record:
        """Return the point without its figures."""
        point = _point(record)
        content: dict[str, Any] = {"epoch": point.epoch, "step": point.step, "split": point.split, "values": {}}
        return Record(METRIC, content, record.size, record.end)


class PredictionStream(Stream):
    """The prediction of each row: all of them or none."""

    def post(self, first: int, records: list[Record]) -> StreamAnswer:
        """Send predictions. Raises Unsendable for one that is damaged, or too long and so kept without its content."""
        try:
            rows = [PredictionRow.model_validate(record.content, strict=False) for record in records]
        except ValidationError:
            raise Unsendable("one of them is damaged or too long") from None
        return self.client.post_predictions(
            self.job_id, PredictionBatch(attempt=self.attempt, first_seq=first, rows=rows)
        )

    def neutral(self, record: Record) -> Record:
        """Raise Unsendable: nothing stands for an answer."""
        raise Unsendable("the portal refuses one of them")


def _line(record: Record) -> LogLine:
    try:
        return LogLine.model_validate(record.content)
    except ValidationError:
        return LogLine(ts="", level=LogLevel.WARNING.value, message="[unreadable line in the spool]")


def _point(record: Record) -> MetricPoint:
    try:
        return MetricPoint.model_validate(record.content, strict=False)
    except ValidationError:
        return MetricPoint(epoch=0, step=0, split=Split.TRAIN, values={})
