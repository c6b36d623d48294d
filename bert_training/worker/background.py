"""Threads that repeat one step until they are stopped. A step that fails by our own mistake is logged, not fatal."""

import logging
import threading
from collections.abc import Callable

from bert_training.worker.timing import Timing

FAILURE_PAUSE_SECONDS = 1.0

logger = logging.getLogger(__name__)


class BackgroundLoop:
    """Repeats `step` on a daemon thread; a step that has nothing to do must wait by itself."""

    def __init__(self, name: str, step: Callable[[], None], timing: Timing) -> None:
        self._name = name
        self._step = step
        self._timing = timing
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopped(self) -> bool:
        """Tell whether the loop was asked to end; waits inside a step should look at it."""
        return self._is_stopped.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to end after the step that it is in."""
        self._is_stopped.set()

    def join(self, timeout: float) -> None:
        """Wait for the end of the loop."""
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self.is_stopped:
            try:
                self._step()
            except Exception:
                # After a stop the connections are closed under a step that still runs: no news then.
                level = logging.DEBUG if self.is_stopped else logging.ERROR
                logger.log(level, "%s failed unexpectedly", self._name, exc_info=True)
                self._timing.pause(FAILURE_PAUSE_SECONDS, lambda: self.is_stopped)
