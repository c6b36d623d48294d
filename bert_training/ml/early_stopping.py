"""Remembers the best epoch by the task's metric and says when waiting for a better one has lasted long enough."""

from typing import Any


class EarlyStopping:
    """patience: epochs without improvement after which to stop; 0 never stops."""

    def __init__(self, patience: int, *, higher_is_better: bool) -> None:
        self.patience = patience
        self.sign = 1 if higher_is_better else -1
        self.best_value: float | None = None
        self.best_epoch = 0
        self.waited_epochs = 0

    def observe(self, epoch: int, value: float | None) -> bool:
        """Take the metric of an epoch (None = not defined) and tell whether this epoch is the best so far.

        As long as the metric was never defined, the latest epoch counts as the best.
        """
        if not self._is_better(value):
            self.waited_epochs += 1
            return False
        self.best_value, self.best_epoch, self.waited_epochs = value, epoch, 0
        return True

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON values."""
        return {"value": self.best_value, "epoch": self.best_epoch, "waited_epochs": self.waited_epochs}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.best_value, self.best_epoch = state["value"], state["epoch"]
        self.waited_epochs = state["waited_epochs"]

    @property
    def is_exhausted(self) -> bool:
        """Tell whether training should stop."""
        return 0 < self.patience <= self.waited_epochs

    def _is_better(self, value: float | None) -> bool:
        if self.best_value is None or value is None:
            return self.best_value is None
        return self.sign * value > self.sign * self.best_value
