"""The intervals hold what they promise: 95 % is aimed at, at least 91 % is reached where classes are rare.

A simulation draws test splits from worlds whose true figures are known, and counts how often the interval holds them.
"""

import numpy as np
import pytest

from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.intervals import Intervals
from bert_training.data.proof.resampling import resampled_rates
from tests.data.proof.worlds import counted, world

LEAST_COVERAGE = 0.91


def coverages(
    *, classes: int, rarest: float, right: float, rows: int, trials: int, replicates: int, copies: int = 1
) -> dict[str, float]:
    """Return how often the intervals of figures, and that of the rarest class, hold the truth."""
    chance = np.random.default_rng([classes, rows, copies, round(100 * rarest), round(100 * right)])
    names = ("f1_macro", "accuracy", "f1_weighted", "recall_macro", "mcc", "kappa")
    held: dict[str, int] = dict.fromkeys(names, 0)
    for trial in range(trials):
        made = world(chance, classes=classes, rarest=rarest, right=right)
        gold, answers, units = made.draw(chance, rows // copies, copies=copies, alike=0.8)
        counts = counted(gold, answers, names=made.names, units=units)
        drawn = resampled_rates([counts], LABELS.rates, seed=trial, replicates=replicates)[0]
        found = Intervals(counts, drawn)
        values = LABELS.rates(counts.totals()[None])
        for name in names:
            low, high = found.of(name, float(values[name][0])) or (np.nan, np.nan)
            held[name] += low - 1e-9 <= made.truth(name) <= high + 1e-9
    return {name: count / trials for name, count in held.items()}


@pytest.mark.parametrize(
    ("classes", "rarest", "right"), [(3, 0.1, 0.8), (5, 0.05, 0.97), (10, 0.05, 0.7), (20, 0.03, 0.8)]
)
def test_the_interval_of_macro_f1_covers_at_300_rows(classes: int, rarest: float, right: float) -> None:
    held = coverages(classes=classes, rarest=rarest, right=right, rows=300, trials=100, replicates=200)
    assert held["f1_macro"] >= LEAST_COVERAGE
    assert held["accuracy"] >= LEAST_COVERAGE
