"""The intervals hold what they promise: 95 % is aimed at, at least 91 % is reached where classes are rare.

A simulation draws test splits from worlds whose true figures are known, and counts how often the interval holds them.
"""

import numpy as np
import pytest

from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.intervals import Intervals
from bert_training.data.proof.resampling import resampled_rates
from bert_training.data.proof.row_figures import RowFigures
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
        found = Intervals(counts, drawn, RowFigures({}, {}))
        values = LABELS.rates(counts.totals()[None])
        for name in names:
            value = float(values[name][0])
            low, high = found.of(name, None if np.isnan(value) else value) or (np.nan, np.nan)
            held[name] += low - 1e-9 <= made.truth(name) <= high + 1e-9
    return {name: count / trials for name, count in held.items()}


@pytest.mark.parametrize(("classes", "rarest", "right"), [(3, 0.1, 0.8), (5, 0.05, 0.97), (20, 0.03, 0.8)])
def test_the_interval_of_macro_f1_covers_at_300_rows(classes: int, rarest: float, right: float) -> None:
    held = coverages(classes=classes, rarest=rarest, right=right, rows=300, trials=100, replicates=200)
    assert held["f1_macro"] >= LEAST_COVERAGE
    assert held["accuracy"] >= LEAST_COVERAGE


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("rows", "copies"), [(300, 1), (1000, 1), (1000, 3)])
@pytest.mark.parametrize(
    ("classes", "rarest", "right"),
    [
        (2, 1.0, 0.8),
        (2, 0.05, 0.97),
        (3, 0.02, 0.9),
        (5, 0.05, 0.98),
        (10, 1.0, 0.8),
        (10, 0.03, 0.7),
        (20, 1.0, 0.8),
        (20, 0.02, 0.6),
    ],
)
def test_intervals_cover_in_many_worlds(rows: int, copies: int, classes: int, rarest: float, right: float) -> None:
    held = coverages(classes=classes, rarest=rarest, right=right, rows=rows, copies=copies, trials=300, replicates=2000)
    assert min(held[name] for name in ("f1_macro", "accuracy", "f1_weighted", "recall_macro")) >= LEAST_COVERAGE - 0.03
