"""Notices a trainer that lives but shows nothing: no step, no row, no line. Its lease would be renewed for ever."""

from bert_training.worker.timing import Timing

# A look that comes late means that this process stood still (sleeping PC, SIGSTOP), and the trainer perhaps as well.
LONGEST_LOOK_SECONDS = 1.0


class StallGuard:
    """Adds up the time in which the signs of life stayed the same."""

    def __init__(self, limit_seconds: float, timing: Timing) -> None:
        self._limit_seconds = limit_seconds
        self._timing = timing
        self._signs: object = None
        self._looked_at = timing.monotonic()
        self._silent_seconds = 0.0

    def is_stalled(self, signs: object) -> bool:
        """Look at the signs of life that there are now; tell whether they have been the same for too long."""
        now = self._timing.monotonic()
        passed, self._looked_at = now - self._looked_at, now
        if signs != self._signs:
            self._signs, self._silent_seconds = signs, 0.0
            return False
        self._silent_seconds += min(passed, LONGEST_LOOK_SECONDS)
        return self._silent_seconds >= self._limit_seconds
