"""Delivers what earlier attempts left in their spools, oldest first, beside the work of today.

A stream is taken late too, after its attempt was lost or its job ended; it changes nothing but the log (rule R3).
"""

import logging
import time
from collections import deque
from pathlib import Path

from bert_training.contract.enums import Directive
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.context import WorkerContext
from bert_training.worker.model_store import is_current, spool_number
from bert_training.worker.orders import JobOrders, Stop
from bert_training.worker.sender import Sender, is_delivered, mark_delivered
from bert_training.worker.spool import mend_file
from bert_training.worker.timing import SLICE_SECONDS
from bert_training.worker.trainer_lock import TrainerLives, await_former_trainer
from bert_training.worker.training_log import copy_rest

TAKEN_SECONDS = 7 * 24 * 3600.0  # for so long the portal takes a late stream

logger = logging.getLogger(__name__)


class PastOrders(JobOrders):
    """Orders about an attempt that is over: there are none, and the answers' "continue" is not for today's work."""

    def obey(self, directive: Directive) -> None:
        """Do nothing."""


class Tails:
    """The spools of attempts that are over which are not delivered to their end."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._spools: deque[Path] = deque()
        self._taken: set[Path] = set()  # waiting here, or being sent
        self._loop = BackgroundLoop("older logs", self._step, context.timing)

    def start(self) -> None:
        """Begin to send what is there."""
        self.collect()
        self._loop.start()

    def collect(self, job_id: int | None = None) -> None:
        """Find what is left to send, of one job or of all. To be called while no trainer works: files are mended."""
        jobs = self._context.store.folder / "jobs"
        found = jobs.glob(f"{job_id or '*'}/attempt-*.jsonl")
        spools = [path for path in found if path not in self._taken and _is_left(path)]
        for spool in sorted(spools, key=_written_at):
            self._taken.add(spool)
            if self._is_mended(spool):
                self._spools.append(spool)

    def stop(self) -> None:
        """Send no more; what is left follows after the next start."""
        self._loop.stop()

    def _is_mended(self, spool: Path) -> bool:
        try:
            await_former_trainer(spool.parent, self._context.timing)
            mend_file(spool)
            copy_rest(self._context.store.folder, spool, spool_number(spool) or 0)
        except (TrainerLives, OSError) as error:
            logger.warning("%s is not sent: %s", spool, error)
            return False
        return True

    def _step(self) -> None:
        if not self._spools:
            self._context.timing.sleep(SLICE_SECONDS)
            return
        spool = self._spools.popleft()
        try:
            self._deliver(spool)
        finally:
            self._taken.discard(spool)

    def _deliver(self, spool: Path) -> None:
        attempt = spool_number(spool)
        if attempt is None or not is_current(spool.parent) or not spool.exists():  # dropped: the data were deleted
            return
        orders = PastOrders(int(spool.parent.name), attempt, self._context.orders)
        sender = Sender(spool, orders, self._context)
        sender.start()
        sender.seal()
        is_done = sender.wait_drained(lambda: self._loop.is_stopped or not spool.exists())
        sender.stop()
        if is_done:
            logger.info("job %d: the rest of attempt %d's log was delivered", orders.job_id, orders.attempt)
        elif orders.stop is Stop.GONE and spool.exists():
            mark_delivered(spool)  # the portal knows the job no longer


def _is_left(spool: Path) -> bool:
    return spool.is_file() and time.time() - _written_at(spool) < TAKEN_SECONDS and not is_delivered(spool)


def _written_at(spool: Path) -> float:
    return spool.stat().st_mtime
