"""95 % intervals of figures, from counts by unit alone.

Shares (accuracy, micro figures, those of one class) are bounded by Wilson. F1 is one too: 2J / (1 + J) with J, the
right answers among all rows that are or were said to be of the class. Other figures are bounded by the bootstrap: what
lies between 2.5 % and 97.5 % of the replicates, moved so that their mean is the figure itself, as a mean over classes
comes out too low where a class is seldom drawn. A mean over classes never has less doubt than the Wilson intervals of
its classes add up to: replicates know only errors that were seen, and five examples without one would leave no doubt.
"""

import numpy as np

from bert_training.data.proof.resampling import Rates
from bert_training.data.proof.shape import Figure
from bert_training.data.proof.shares import Bounds, share_bounds
from bert_training.data.proof.units import EXIST, Floats, UnitCounts

TAILS = (0.025, 0.975)
RATES = ("precision", "recall", "f1")
Interval = tuple[float, float]


def bounded(value: float | None, interval: Interval | None) -> Figure:
    """Put a figure together; its interval always holds it."""
    if value is None or interval is None:
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": min(value, interval[0]), "high": max(value, interval[1])}


def centred(value: float, replicates: Floats) -> Interval:
    """Return what lies between the tails of the replicates, moved so that their mean is the value."""
    kept = replicates[np.isfinite(replicates)]
    low, high = np.quantile(kept, TAILS) + (value - kept.mean())
    return float(low), float(high)


class Intervals:
    """The intervals of one source's figures."""

    def __init__(self, counts: UnitCounts, replicates: Rates) -> None:
        self.replicates = replicates
        self.exist = counts.totals()[EXIST]
        self.classes = rate_bounds(counts)
        self.together = rate_bounds(counts.without_classes())

    def of_class(self, rate: str, label: int) -> Interval:
        """Bound precision, recall or f1 of one class."""
        return self.classes[rate].interval(label)

    def of(self, name: str, value: float | None) -> Interval | None:
        """Bound a figure. None when it does not follow from counts, or when all replicates are the same."""
        if value is None or name not in self.replicates:
            return None
        # One label a text: its accuracy is the recall of all classes together.
        rate, _, mean = ("recall", "", "micro") if name == "accuracy" else name.partition("_")
        if rate in RATES and mean in ("", "micro"):
            return self.together[rate].interval(0)
        low, high = centred(value, self.replicates[name])
        if rate in RATES and mean in ("macro", "weighted"):
            below, above = self.classes[rate].reach(self.exist if mean == "weighted" else self.exist > 0)
            return max(0.0, min(low, value - below)), min(1.0, max(high, value + above))
        return (max(-1.0, low), min(1.0, high)) if low < high else None


def rate_bounds(counts: UnitCounts) -> dict[str, Bounds]:
    """Bound precision, recall and F1 of each class."""
    hits, found, exist = counts.counts.astype(np.float64)
    wholes = {"precision": found, "recall": exist, "f1": found + exist - hits}
    bounds = {rate: share_bounds(hits, whole, counts.classes, counts.class_count) for rate, whole in wholes.items()}
    return {**bounds, "f1": Bounds(*(2 * jaccard / (1 + jaccard) for jaccard in bounds["f1"]))}
