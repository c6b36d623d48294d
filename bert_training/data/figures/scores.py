"""Figures of probabilities: how well they order (AUC, average precision), and how well they are stated (log-loss).

Probabilities are float16, of which 15,361 lie in 0..1 and order as their bits do. Rows of each value are counted, so
that nothing is sorted: 100,000 rows of 50 classes take 0.04 s and no copy of the table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 2.0**-24  # the smallest float16; a probability of 0 is only one below half of that
VALUES = 0x3C01  # float16 values from 0 to 1
BLOCK_CELLS = 2**21  # of a table that is compared at once


@dataclass(frozen=True)
class Steps:
    """A class against the rest, at each probability that occurs, from the highest down.

    true, false: (V,) int64, rows of the class and of the rest with at least this probability.
    """

    true: NDArray[np.int64]
    false: NDArray[np.int64]

    @property
    def auc_roc(self) -> float:
        """Share of (class, rest) pairs in the right order, an equal pair counts half."""
        rise = np.diff(self.true, prepend=0)
        pairs_twice = int((rise * (2 * self.false[-1] - self.false - _before(self.false))).sum())
        return pairs_twice / (2 * int(self.true[-1]) * int(self.false[-1]))

    @property
    def average_precision(self) -> float:
        """Mean precision over the recalls that are reached, as scikit-learn's average_precision_score."""
        return float((np.diff(self.true, prepend=0) * self.true / (self.true + self.false)).sum() / self.true[-1])


def _before(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), counts[:-1]])


def is_stated(probabilities: NDArray[np.float16]) -> bool:
    """Tell whether there are probabilities (N, K), all of them numbers in 0..1."""
    # As bits: NaN, the infinities and everything negative are greater than 1.
    return bool(probabilities.size) and int(probabilities.view(np.uint16).max()) < VALUES


def class_steps(gold: NDArray[np.int64], probabilities: NDArray[np.float16]) -> Iterator[tuple[int, Steps]]:
    """Yield each class that has examples and a rest. gold: (N,).  probabilities: (N, K), as `is_stated` wants them."""
    bits = probabilities.view(np.uint16)
    support = np.bincount(gold, minlength=bits.shape[1])
    for label in np.flatnonzero((support > 0) & (support < len(gold))).tolist():
        column = bits[:, label]
        every = np.bincount(column, minlength=VALUES)[::-1]
        true = np.bincount(column[gold == label], minlength=VALUES)[::-1]
        occurs = every > 0
        reached = np.cumsum(true[occurs])
        yield label, Steps(reached, np.cumsum(every[occurs]) - reached)


def log_losses(gold: NDArray[np.int64], probabilities: NDArray[np.float16]) -> NDArray[np.float64]:
    """Return -log of the probability of the right class of each row; the log-loss is their mean."""
    stated = probabilities[np.arange(len(gold)), gold].astype(np.float64)
    return -np.log(np.maximum(stated, LEAST))


def top_hits(
    gold: NDArray[np.int64], probabilities: NDArray[np.float16], sizes: Sequence[int]
) -> dict[int, NDArray[np.float64]]:
    """Return for each k whether the class of each row is among the k most probable; top-k is the mean.

    Of classes with one and the same probability at the edge, those inside are drawn by lot: a row has its chance of
    being among them, so that no class is favoured by its place.
    """
    hits = {size: np.zeros(len(gold)) for size in sizes}
    step = max(1, BLOCK_CELLS // probabilities.shape[1])
    bits = probabilities.view(np.uint16)
    for start in range(0, len(gold), step):
        block, labels = bits[start : start + step], gold[start : start + step]
        stated = block[np.arange(len(labels)), labels][:, None]
        above = np.count_nonzero(block > stated, axis=1)
        equal = np.count_nonzero(block == stated, axis=1)
        for size in sizes:
            hits[size][start : start + step] = np.clip((size - above) / equal, 0.0, 1.0)
    return hits
