"""What the heartbeat tells about this computer, read on a thread of its own.

A GPU's driver, or a disk on a network, may hang for minutes: inside a heartbeat that would cost the lease.
"""

import logging
import threading
from collections.abc import Callable

from bert_training.contract.messages import Gpu
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.machine import Disk, Memory, read_cpu, read_gpus, read_memory
from bert_training.worker.timing import Timing

READ_SECONDS = 5.0
FIRST_SECONDS = 1.0  # the first heartbeat waits so long for a first reading, and goes without one after that

logger = logging.getLogger(__name__)


class Gauges:
    """The newest readings: `gpus`, empty without a GPU; all others None = unknown. cpu: the busy share of all cores."""

    def __init__(self, read_disk: Callable[[], Disk], timing: Timing) -> None:
        self.gpus: list[Gpu] = []
        self.disk: Disk | None = None
        self.memory: Memory | None = None
        self.cpu: float | None = None
        self._read_disk = read_disk
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
            self.disk = self._read_disk()
        except OSError as error:
            logger.debug("the free disk space cannot be read: %s", error)
            self.disk = None
        busy = read_cpu()  # since the reading before: the first one says nothing
        self.cpu = busy if self._has_read.is_set() else None
        self.memory = read_memory()
        self.gpus = read_gpus()
        self._has_read.set()

    def _step(self) -> None:
        self.read()
        self._timing.pause(READ_SECONDS, lambda: self._loop.is_stopped)
