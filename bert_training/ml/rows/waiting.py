"""Waits for work of another thread with signs of life, so that a run in waiting is neither deaf nor taken for dead."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

WAIT_SECONDS = 0.2  # between two signs of life


def wait_for(work: Future[Any], *, on_wait: Callable[[], None]) -> None:
    """Return when work has ended, however it did; on_wait is called while it has not."""
    while not wait([work], timeout=WAIT_SECONDS).done:
        on_wait()
