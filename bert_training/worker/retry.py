"""How long to wait after a call that failed, and when to stop waiting. Knows no endpoint.

Full jitter, so that the workers of an office do not all knock at once when the portal comes back.
"""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from bert_training.worker.client import Unauthorized, Unavailable
from bert_training.worker.options import TokenSource
from bert_training.worker.timing import Timing

BACKOFF_BASE_SECONDS = 1.0
BACKOFF_CAP_SECONDS = 60.0
RETRY_AFTER_CAP_SECONDS = 900.0
TOKEN_RETRY_SECONDS = 60.0

logger = logging.getLogger(__name__)
T = TypeVar("T")


class GaveUp(Exception):
    """The caller's reason to go on trying is gone (stop, cancel, lost job)."""


def backoff_seconds(failures: int, retry_after: float | None, *, timing: Timing) -> float:
    """Return the wait after the n-th failure in a row (n >= 1).

    Retry-After wins; up to as much again is added, so that workers told the same number come back spread out.
    """
    if retry_after is not None:
        return min(retry_after + timing.uniform(0, max(retry_after, 1.0)), RETRY_AFTER_CAP_SECONDS)
    return timing.uniform(0, min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(failures - 1, 10)))


class Retrier:
    """Repeats calls until they are answered. One for all threads: the first success ends everybody's wait."""

    def __init__(self, token: TokenSource, timing: Timing) -> None:
        self._token = token
        self._timing = timing
        self._lock = threading.Lock()
        self._successes = 0

    def call(self, request: Callable[[], T], *, what: str, give_up: Callable[[], bool]) -> T:
        """Repeat `request` while the portal is away or refuses the token.

        Raises Refused as it comes, GaveUp when `give_up` turns true between two tries.
        """
        failures = 0
        while not give_up():
            try:
                answer = request()
            except (Unavailable, Unauthorized) as error:
                failures += 1
                self.wait_after(error, failures, what=what, give_up=give_up)
            else:
                self.note_success()
                return answer
        raise GaveUp(what)

    def note_success(self) -> None:
        """Tell all that wait because of an outage that the portal answers again."""
        with self._lock:
            self._successes += 1

    def wait_after(
        self,
        error: Unavailable | Unauthorized,
        failures: int,
        *,
        what: str,
        give_up: Callable[[], bool],
        at_most: float = RETRY_AFTER_CAP_SECONDS,
    ) -> None:
        """Wait as the failure asks, at most `at_most` s, or until another call succeeded or the token is a new one."""
        successes = self._successes

        def is_over() -> bool:
            if isinstance(error, Unauthorized):
                self._token.reload()
                return self._token.prefix != error.prefix or give_up()
            return give_up() or (error.is_outage and self._successes != successes)

        if isinstance(error, Unauthorized):
            seconds = TOKEN_RETRY_SECONDS
        else:
            seconds = backoff_seconds(failures, error.retry_after, timing=self._timing)
        if seconds > at_most:
            # Not exactly at_most: workers that fell silent in the same moment would knock in the same moment for ever.
            seconds = at_most * self._timing.uniform(0.4, 1.0)
        logger.warning("%s failed, next try in %.1f s: %s", what, seconds, error)
        self._timing.pause(seconds, is_over)
