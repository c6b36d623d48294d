"""Remembers the best evaluation by the deciding metric, and says when one has waited long enough for a better."""

from typing import Any

from bert_training.data.figures.shapes import Figures


class EarlyStopping:
    """patience: evaluations without improvement after which to stop; 0 never stops.

    threshold: by how much the metric must improve for the patience to begin anew; the best is the best by any margin.
    """

    def __init__(self, metric: str, *, higher_is_better: bool, patience: int, threshold: float = 0.0) -> None:
        self.metric = metric
        self.sign = 1 if higher_is_better else -1
        self.patience = patience
        self.threshold = threshold
        self.best_epoch = self.best_step = 0  # 0 = nothing was judged yet
        self.best_figures: Figures = {}
        self.waited = 0

    def observe(self, figures: Figures, *, epoch: int, step: int) -> bool:
        """Take the figures of an evaluation and tell whether it is the best so far.

        As long as the metric was never defined, the latest evaluation counts as the best.
        """
        best, value = self.best_figures.get(self.metric), figures[self.metric]
        gain = None if best is None or value is None else self.sign * (value - best)
        is_best = best is None if gain is None else gain > 0
        is_progress = is_best if gain is None else gain > self.threshold
        self.waited = 0 if is_progress else self.waited + 1
        if is_best:
            self.best_epoch, self.best_step, self.best_figures = epoch, step, figures
        return is_best

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON values."""
        best = {"epoch": self.best_epoch, "step": self.best_step, "figures": self.best_figures}
        return {**best, "waited": self.waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.best_epoch, self.best_step, self.best_figures = state["epoch"], state["step"], state["figures"]
        self.waited = state["waited"]

    @property
    def is_exhausted(self) -> bool:
        """Tell whether training should stop."""
        return 0 < self.patience <= self.waited
