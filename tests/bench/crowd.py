"""Has many callers do the same at once, as threads of a few processes, each with a database connection of its own.

One process alone would measure Python's lock. Knows nothing of the portal; Django is set up in each process.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import django
from django.db import connection

from tests.services import IS_EMBEDDED

PROCESSES = 1 if IS_EMBEDDED else 4  # SQLite has one writer, and lets one of many that wait for it starve
THREADS = 4  # in each process
CALLERS = PROCESSES * THREADS
READY_SECONDS = 0.5  # until a round begins, so that every caller is connected

Action = Callable[[int], int]


@dataclass(frozen=True)
class Call:
    """One call: what it returned, when it began and ended by the clock that all processes share."""

    result: int
    began: float
    ended: float

    @property
    def milliseconds(self) -> float:
        """Return how long it took."""
        return 1000 * (self.ended - self.began)


def per_second(calls: Sequence[Call]) -> float:
    """Return the rate of all callers together, from the first call's begin to the last one's end."""
    return len(calls) / (max(call.ended for call in calls) - min(call.began for call in calls))


@contextmanager
def open_crowd() -> Iterator[Executor]:
    """Start the processes."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn, initializer=_get_ready) as executor:
        yield executor


def call_all(crowd: Executor, action: Action, arguments: Sequence[int]) -> list[Call]:
    """Call a function (of a module, so that processes find it) for each argument; each caller has its share."""
    begin_at = time.monotonic() + READY_SECONDS
    shares = [crowd.submit(_call_share, action, arguments[number::PROCESSES], begin_at) for number in range(PROCESSES)]
    return [call for share in shares for call in share.result()]


def _get_ready() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # what is logged goes nowhere, but is paid for
    django.setup()


def _call_share(action: Action, arguments: Sequence[int], begin_at: float) -> list[Call]:
    with ThreadPoolExecutor(THREADS) as threads:
        parts = [threads.submit(_call_each, action, arguments[n::THREADS], begin_at) for n in range(THREADS)]
        return [call for part in parts for call in part.result()]


def _call_each(action: Action, arguments: Sequence[int], begin_at: float) -> list[Call]:
    connection.ensure_connection()
    try:
        time.sleep(max(0.0, begin_at - time.monotonic()))
        return [_timed(action, argument) for argument in arguments]
    finally:
        connection.close()


def _timed(action: Action, argument: int) -> Call:
    began = time.monotonic()
    result = action(argument)
    return Call(result, began, time.monotonic())
