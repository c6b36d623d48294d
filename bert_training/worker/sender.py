"""Delivers the spool of one attempt to the portal in numbered batches, in order, however often it must be repeated.

Sends only what is synced to the disk, so that the portal never knows more than the spool.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bert_training.contract.enums import ErrorCode
from bert_training.contract.streams import StreamAnswer
from bert_training.ml.keeping.folders import is_disk_full
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.client import Refused
from bert_training.worker.context import WorkerContext
from bert_training.worker.files import read_json, write_json
from bert_training.worker.orders import JobOrders, Stop
from bert_training.worker.retry import GaveUp
from bert_training.worker.send_streams import LogStream, MetricStream, PredictionStream, Stream
from bert_training.worker.spool import KINDS, LOG, METRIC, PREDICTION, SENT_LOG_BYTES, SpoolReader, sync_file
from bert_training.worker.timing import SLICE_SECONDS

FLUSH_SECONDS = 1.0
BURST_BYTES = 128 * 1024  # about a full batch: then do not wait for the second to pass
STUCK_SECONDS = 60.0
GIVEN_UP_SECONDS = 7 * 24 * 3600.0

logger = logging.getLogger(__name__)


class Sender:
    """Tails one spool on its own thread until it was sealed and everything is acknowledged.

    sends_predictions: only of an attempt that may still complete, to a portal that takes them.
    """

    def __init__(
        self, spool: Path, orders: JobOrders, context: WorkerContext, *, sends_predictions: bool = False
    ) -> None:
        self.spool = spool
        self._orders = orders
        self._retrier = context.retrier
        self._timing = context.timing
        acked = read_json(_acked_path(spool)) or {}
        kinds = {LOG: LogStream, METRIC: MetricStream} | ({PREDICTION: PredictionStream} if sends_predictions else {})
        self._streams: dict[str, Stream] = {
            kind: stream(_reader(spool, kind, acked), context.client, orders) for kind, stream in kinds.items()
        }
        self._flushed_end = 0
        self._flushed_at = -FLUSH_SECONDS
        self._worker = context.orders
        self._is_sealed = False
        self._is_stopped = False
        self._answered_at = context.timing.monotonic()
        self.is_drained = False
        self._loop = BackgroundLoop(f"sender of job {orders.job_id}", self._step, context.timing)

    def start(self) -> None:
        """Begin to send."""
        self._loop.start()

    def seal(self) -> None:
        """Say that no more records will be appended: the sender ends when all are acknowledged."""
        self._is_sealed = True

    def stop(self) -> None:
        """End now; what is not acknowledged stays in the spool."""
        self._is_stopped = True
        self._loop.stop()

    @property
    def is_given_up(self) -> bool:
        """Tell whether the portal has not taken anything for so long that nobody waits for it any more."""
        return self._timing.monotonic() - self._answered_at >= GIVEN_UP_SECONDS

    @property
    def delivered(self) -> dict[str, int]:
        """Return how many records of each kind the portal has."""
        return dict.fromkeys(KINDS, 0) | {kind: stream.delivered for kind, stream in self._streams.items()}

    def wait_drained(self, give_up: Callable[[], bool]) -> bool:
        """Wait until a sealed spool is acknowledged to its end. Return whether it is."""
        self._timing.pause(float("inf"), lambda: self.is_drained or self._loop.is_stopped or give_up())
        return self.is_drained

    def rewind(self, have: Mapping[str, int]) -> None:
        """Send again what follows these numbers: the portal says that it has no more. Only on a drained sender."""
        end = self.spool.stat().st_size
        for kind, seq in have.items():
            if kind in self._streams:
                self._streams[kind].reader.rewind(max(0, seq) + 1, end=end)
        self._flush(end)

    def _step(self) -> None:
        size = self.spool.stat().st_size
        if size == self._flushed_end:
            self._answered_at = self._timing.monotonic()  # nothing waits
        if not self._is_due(size):
            self._timing.sleep(SLICE_SECONDS)
            return
        sealed = self._is_sealed
        size = self.spool.stat().st_size if sealed else size
        sync_file(self.spool)
        self._flushed_at = self._timing.monotonic()
        if self._flush(size):
            if self._flushed_end < SENT_LOG_BYTES <= size:
                logger.warning("job %d: of its long log only the first GiB is sent", self._orders.job_id)
            self._flushed_end = size
            if sealed:
                mark_delivered(self.spool)
                self.is_drained = True
                self._loop.stop()

    def _is_due(self, size: int) -> bool:
        if self._is_sealed or size - self._flushed_end >= BURST_BYTES:
            return True
        return size > self._flushed_end and self._timing.monotonic() - self._flushed_at >= FLUSH_SECONDS

    def _flush(self, end: int) -> bool:
        """Send everything up to `end`; tell whether it was all acknowledged."""
        try:
            for stream in self._streams.values():
                while self._send_batch(stream, end):
                    self._keep_acked()
        except GaveUp:
            if self.is_given_up:
                logger.error("nothing was taken of %s for a week: what is left stays there", self.spool)
            self._loop.stop()
            return False
        self._keep_acked()
        return True

    def _send_batch(self, stream: Stream, end: int) -> bool:
        """Send one batch, or react to its refusal; tell whether there may be more."""
        try:
            answer = self._call(lambda: stream.send_next(end))
        except Refused as error:
            answer = self._react(stream, error, end)
            if answer is None:
                return True
        if answer is None:
            return False
        self._answered_at = self._timing.monotonic()
        self._orders.obey(answer.directive)
        return True

    def _react(self, stream: Stream, error: Refused, end: int) -> StreamAnswer | None:
        if error.code == ErrorCode.STREAM_GAP and isinstance(error.details.get("next_seq"), int):
            stream.reader.rewind(max(1, error.details["next_seq"]), end=end)
            return None
        if error.status in (400, 413):
            try:
                return self._call(lambda: stream.shrink(end))
            except Refused as second:
                error = second
        if not self._orders.obey_refusal(error) or self._orders.stop is Stop.LEASE_LOST:
            logger.error("the portal does not take the stream of job %d: %s", self._orders.job_id, error)
            self._timing.pause(STUCK_SECONDS, self._has_given_up)
        return None

    def _call(self, request: Callable[[], StreamAnswer | None]) -> StreamAnswer | None:
        return self._retrier.call(request, what="sending lines", give_up=self._has_given_up)

    def _has_given_up(self) -> bool:
        is_unwanted = self._is_stopped or self._orders.stop >= Stop.GONE
        return is_unwanted or self.is_given_up or self._worker.is_out_of_time

    def _keep_acked(self) -> None:
        readers = {kind: stream.reader for kind, stream in self._streams.items()}
        _write_acked(self.spool, {kind: [reader.next_seq, reader.offset] for kind, reader in readers.items()})


def is_delivered(spool: Path) -> bool:
    """Tell whether the portal has a spool up to its present end."""
    acked = read_json(_acked_path(spool)) or {}
    return acked.get("end") == spool.stat().st_size


def mark_delivered(spool: Path) -> None:
    """Note that nothing up to the present end of a spool is left to send."""
    acked = read_json(_acked_path(spool)) or {}
    _write_acked(spool, {**acked, "end": spool.stat().st_size})


def _acked_path(spool: Path) -> Path:
    return spool.with_name(spool.stem.replace("attempt", "acked") + ".json")


def _write_acked(spool: Path, acked: dict[str, Any]) -> None:
    """Keep what is acknowledged. On a full disk it is not: after a restart the lines are sent and known again."""
    try:
        write_json(_acked_path(spool), acked)
    except OSError as error:
        if not is_disk_full(error):
            raise
        logger.warning("the disk is full: how far %s was delivered cannot be noted", spool)


def _reader(spool: Path, kind: str, acked: dict[str, list[int]]) -> SpoolReader:
    position = acked.get(kind)
    if isinstance(position, list) and len(position) == 2 and all(isinstance(part, int) for part in position):
        return SpoolReader(spool, kind, next_seq=position[0], offset=position[1])
    return SpoolReader(spool, kind)
