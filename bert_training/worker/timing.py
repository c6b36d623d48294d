"""The worker's view of time and chance. Every wait of the supervisor goes through it, so that tests need not wait."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

# Waits are slept in slices: signals, stop orders and a portal that came back are noticed this soon.
SLICE_SECONDS = 0.1


def utc_now() -> datetime:
    """Return the wall clock, only ever sent or shown, never compared."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Timing:
    """Clock, sleep and chance; durations are measured on the monotonic clock only."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    utc_now: Callable[[], datetime] = utc_now
    uniform: Callable[[float, float], float] = random.uniform

    def pause(self, seconds: float, until: Callable[[], bool]) -> bool:
        """Sleep for `seconds`, or less when `until` turns true. Return whether it did."""
        deadline = self.monotonic() + seconds
        while not until():
            left = deadline - self.monotonic()
            if left <= 0:
                return False
            self.sleep(min(left, SLICE_SECONDS))
        return True
