"""Rates that follow from counts of right answers, answers and examples of each class, for many countings at once.

totals: (R, 3, K): hits, found, exist, R countings (the real one, or replicates of a bootstrap) of K classes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.judgement import Tally
from bert_training.data.figures.shapes import ClassFigures, class_row

Rates = dict[str, NDArray[np.float64]]
RATES = ("precision", "recall", "f1")


def class_rates(totals: NDArray[np.float64]) -> Rates:
    """Return precision, recall and F1 of each class, each (R, K); NaN where a class has no example.

    A class that was never the answer has precision 0, as in scikit-learn.
    """
    hits, found, exist = totals[:, 0], totals[:, 1], totals[:, 2]
    rates = {"precision": share(hits, found), "recall": share(hits, exist), "f1": share(2 * hits, found + exist)}
    return {name: np.where(exist > 0, rate, np.nan) for name, rate in rates.items()}


def micro_rates(totals: NDArray[np.float64]) -> Rates:
    """Return precision, recall and F1 of all classes counted together, each (R,)."""
    summed = class_rates(totals.sum(axis=2, keepdims=True))
    return {name: rate[:, 0] for name, rate in summed.items()}


def macro_rates(totals: NDArray[np.float64]) -> Rates:
    """Return the plain means over the classes that have examples, each (R,)."""
    return _means(totals, lambda exist: (exist > 0).astype(np.float64))


def weighted_rates(totals: NDArray[np.float64]) -> Rates:
    """Return the means over the classes, weighted by their examples, each (R,)."""
    return _means(totals, lambda exist: exist)


def _means(totals: NDArray[np.float64], weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Rates:
    weights = weigh(totals[:, 2])
    whole = weights.sum(axis=1)
    sums = {name: (np.nan_to_num(rate) * weights).sum(axis=1) for name, rate in class_rates(totals).items()}
    return {name: share(part, whole, undefined=np.nan) for name, part in sums.items()}


def share(part: NDArray[np.float64], whole: NDArray[np.float64], *, undefined: float = 0.0) -> NDArray[np.float64]:
    """Divide; `undefined` where the whole is nothing."""
    shares: NDArray[np.float64] = np.divide(part, whole, out=np.full(part.shape, undefined), where=whole > 0)
    return shares


def class_rows(tally: Tally, names: list[str]) -> list[ClassFigures]:
    """Put together the figures of each class."""
    totals = tally.totals()
    rates = class_rates(totals)
    columns = (rates[name][0].tolist() for name in RATES)
    return [class_row(*row) for row in zip(names, *columns, totals[0, 2].astype(int).tolist(), strict=True)]


def sparse_counts(gold: NDArray[Any], predicted: NDArray[Any], width: int) -> list[list[int]]:
    """Count pairs: [gold, predicted, count] in order; all values lie in 0..width - 1."""
    pairs, counts = np.unique(gold * width + predicted, return_counts=True)
    triples: list[list[int]] = np.stack([pairs // width, pairs % width, counts], axis=1).tolist()
    return triples
