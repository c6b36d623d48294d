"""A clock that a test holds: nobody waits, time passes only by sleeping."""

from bert_training.worker.timing import Timing


class HeldClock:
    """Time that passes only by sleeping; chance that always draws the upper end."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[tuple[float, object]] = []

    @property
    def timing(self) -> Timing:
        return Timing(monotonic=lambda: self.now, sleep=self.sleep, uniform=lambda _low, high: high)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for moment, act in list(self.events):
            if self.now >= moment and callable(act):
                self.events.remove((moment, act))
                act()
