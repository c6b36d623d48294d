"""95 % intervals of figures, from counts by unit alone.

Shares (accuracy, micro figures, those of one class) are bounded by Wilson. F1 is one too: 2J / (1 + J) with J, the
right answers among all rows that are or were said to be of the class. Other figures are bounded by the bootstrap, from
2.5 % to 97.5 % of the replicates: as they are, and moved so that their mean is the figure itself, whichever reaches
further, as means over classes come out too low where a class is seldom drawn. Replicates know only errors that were
seen, and five examples without one would leave no doubt: so a mean over classes has no less doubt than the Wilson
intervals of its classes add up to. Figures of `row_figures` are bounded by their variance over units.
"""

import numpy as np

from bert_training.data.proof.resampling import Rates
from bert_training.data.proof.row_figures import RowFigures
from bert_training.data.proof.shape import Figure
from bert_training.data.proof.shares import Bounds, Interval, share_bounds
from bert_training.data.proof.units import Floats, UnitCounts

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
        self.totals = counts.totals()
        self.classes = rate_bounds(counts)
        self.together = rate_bounds(counts.without_classes())

    def of_class(self, rate: str, label: int) -> Interval:
        """Bound precision, recall or f1 of one class."""
        return self.classes[rate].interval(label)

    def of(self, name: str, value: float | None) -> Interval | None:
        """Bound a figure; None when it has no interval."""
        if value is None:
            return None
        if name not in self.replicates:
            return self.rows.of(name, value)
        rate, _, mean = name.partition("_")
        if rate == "accuracy" or mean == "micro":  # of one label a text: one and the same share
            return self.together["recall"].interval(0)
        if rate in RATES and not mean:
            return self.together[rate].interval(0)
        low, high = spread(value, self.replicates[name]) or (value, value)
        below, above = self._least_reach(rate, mean)
        lowest = 0.0 if rate in RATES else -1.0
        return max(lowest, min(low, value - below)), min(1.0, max(high, value + above))

    def _least_reach(self, rate: str, mean: str) -> tuple[float, float]:
        """Return how far below and above itself a figure reaches at least, also where no error was seen."""
        _hits, found, exist = self.totals
        if rate in RATES:
            return self.classes[rate].reach(exist if mean == "weighted" else exist > 0)
        # Agreement beyond chance (mcc, kappa) moves with the accuracy, the more so the more agreement chance brings.
        beyond_chance = 1.0 - float(found @ exist) / float(found.sum() * exist.sum())
        below, above = self.together["recall"].reach(np.ones(1))
        return (below / beyond_chance, above / beyond_chance) if beyond_chance > 0 else (0.0, 0.0)


def rate_bounds(counts: UnitCounts) -> dict[str, Bounds]:
    """Bound precision, recall and F1 of each class."""
    hits, found, exist = counts.counts.astype(np.float64)
    wholes = {"precision": found, "recall": exist, "f1": found + exist - hits}
    bounds = {rate: share_bounds(hits, whole, counts.classes, counts.class_count) for rate, whole in wholes.items()}
    return {**bounds, "f1": Bounds(*(2 * jaccard / (1 + jaccard) for jaccard in bounds["f1"]))}
