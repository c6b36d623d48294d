"""95 % intervals of figures, from counts by unit alone.

Shares (accuracy, micro figures, those of one class) are bounded by Wilson. F1 is one too: 2J / (1 + J) with J, the
right answers among all rows that are or were said to be of the class. Other figures are bounded by the bootstrap, from
2.5 % to 97.5 % of the replicates: as they are, and moved so that their mean is the figure itself, whichever reaches
further, as means over classes come out too low where a class is seldom drawn. A mean over classes also has no less
doubt than the Wilson intervals of its classes add up to: replicates know only errors that were seen, and five examples
without one would leave no doubt. Figures of `row_figures` are bounded by their variance over units.
"""

import numpy as np

from bert_training.data.proof.resampling import Rates
from bert_training.data.proof.row_figures import RowFigures
from bert_training.data.proof.shape import Figure
from bert_training.data.proof.shares import Bounds, Interval, share_bounds
from bert_training.data.proof.units import EXIST, Floats, UnitCounts

TAILS = (0.025, 0.975)
RATES = ("precision", "recall", "f1")


def bounded(value: float | None, interval: Interval | None) -> Figure:
    """Put a figure together; its interval always holds it."""
    if value is None or interval is None:
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": min(value, interval[0]), "high": max(value, interval[1])}


def spread(value: float, replicates: Floats) -> Interval | None:
    """Return what lies between the tails of the replicates, or of those moved so that their mean is the value.

    None when the figure was defined in no replicate.
    """
    kept = replicates[np.isfinite(replicates)]
    if not len(kept):
        return None
    low, high = np.quantile(kept, TAILS)
    move = value - kept.mean()
    return float(low + min(0.0, move)), float(high + max(0.0, move))


class Intervals:
    """The intervals of one source's figures."""

    def __init__(self, counts: UnitCounts, replicates: Rates, rows: RowFigures) -> None:
        self.replicates = replicates
        self.rows = rows
        self.exist = counts.totals()[EXIST]
        self.classes = rate_bounds(counts)
        self.together = rate_bounds(counts.without_classes())

    def of_class(self, rate: str, label: int) -> Interval:
        """Bound precision, recall or f1 of one class."""
        return self.classes[rate].interval(label)

    def of(self, name: str, value: float | None) -> Interval | None:
        """Bound a figure. None when it has no interval, or when all replicates are the same."""
        if value is None:
            return None
        if name not in self.replicates:
            return self.rows.of(name, value)
        # One label a text: its accuracy is the recall of all classes together.
        rate, _, mean = ("recall", "", "micro") if name == "accuracy" else name.partition("_")
        if rate in RATES and mean in ("", "micro"):
            return self.together[rate].interval(0)
        found = spread(value, self.replicates[name])
        if found is None:
            return None
        low, high = found
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
