"""What the heartbeat tells about this computer, read on a thread of its own.

A GPU's driver, or a disk on a network, may hang for minutes: inside a heartbeat that would cost the lease.
"""

import logging
import threading
from collections.abc import Callable

from bert_training.contract.messages import Gpu
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.machine import read_gpus
from bert_training.worker.timing import Timing

READ_SECONDS = 5.0
FIRST_SECONDS = 1.0  # the first heartbeat waits so long for a first reading, and goes without one after that

logger = logging.getLogger(__name__)


class Gauges:
    """The newest readings: `gpus`, empty without a GPU; `free_bytes`, None = unknown."""

    def __init__(self, read_free_bytes: Callable[[], int], timing: Timing) -> None:
        self.gpus: list[Gpu] = []
        self.free_bytes: int | None = None
        self._read_free_bytes = read_free_bytes
        self._timing = timing
        self._has_read = threading.Event()
        self._loop = BackgroundLoop("gauges", self._step, timing)

    def start(self) -> None:
        """Begin to read, and wait a moment for the first reading."""
        self._loop.start()
        self._has_read.wait(FIRST_SECONDS)

    def stop(self) -> None:
        """Read no more."""
        self._loop.stop()

    def read(self) -> None:
        """Take one reading."""
        try:
            self.free_bytes = self._read_free_bytes()
        except OSError as error:
            logger.debug("the free disk space cannot be read: %s", error)
            self.free_bytes = None
        self.gpus = read_gpus()
        self._has_read.set()

    def _step(self) -> None:
        self.read()
        self._timing.pause(READ_SECONDS, lambda: self._loop.is_stopped)
