"""Made worlds of which the true figures are known: tests draw test splits from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.data.proof.units import UnitCounts, count_by_unit, number_units

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """A classifier and its texts. shares: (K, K), how often a text of the row's class gets the column's answer."""

    shares: NDArray[np.float64]

    @property
    def names(self) -> list[str]:
        """Name the classes."""
        return [f"class {label}" for label in range(len(self.shares))]

    def truth(self, figure: str) -> float:
        """Return a figure over endlessly many texts."""
        totals = np.stack([np.diagonal(self.shares), self.shares.sum(axis=0), self.shares.sum(axis=1)])
        return float(LABELS.rates(totals[None])[figure][0])

    def draw(
        self, chance: np.random.Generator, count: int, *, copies: int = 1, alike: float = 1.0
    ) -> tuple[Ids, Ids, Ids]:
        """Draw texts. Returns gold, answers and units: each text stands there `copies` times, as one unit.

        alike: how often a copy gets the same answer as the first; else one of its own.
        """
        classes = len(self.shares)
        gold = chance.choice(classes, size=count, p=self.shares.sum(axis=1))
        first, own = self._answers(chance, gold), self._answers(chance, np.repeat(gold, copies))
        is_same = chance.random(count * copies) < alike
        return (
            np.repeat(gold, copies),
            np.where(is_same, np.repeat(first, copies), own),
            np.repeat(np.arange(count), copies),
        )

    def _answers(self, chance: np.random.Generator, gold: Ids) -> Ids:
        reached = np.cumsum(self.shares / self.shares.sum(axis=1, keepdims=True), axis=1)
        answers: Ids = (chance.random(len(gold))[:, None] > reached[gold]).sum(axis=1)
        return np.minimum(answers, len(reached) - 1)


def world(chance: np.random.Generator, *, classes: int, rarest: float, right: float) -> World:
    """Make a world. rarest: the rarest class over the most frequent.  right: how often an answer is right, about."""
    exist = np.geomspace(1.0, rarest, classes)
    hits = np.clip(right + chance.normal(0, 0.05, classes), 0.05, 0.995)
    shares = np.zeros((classes, classes))
    for label in range(classes):
        others = chance.dirichlet(np.ones(classes - 1)) * (1 - hits[label])
        shares[label] = np.insert(others, label, hits[label]) * exist[label]
    return World(shares / shares.sum())


def counted(gold: Ids, predicted: Ids, *, names: list[str], units: Ids | None = None) -> UnitCounts:
    """Count answers by unit; without units each row is one."""
    answers = LabelAnswers(gold, predicted, np.zeros((len(gold), 0), dtype=np.float16))
    return count_by_unit(LABELS.tally(answers, names), number_units(np.arange(len(gold)) if units is None else units))


def labelled(
    gold: Sequence[int] | Ids,
    predicted: Sequence[int] | Ids,
    *,
    source: PredictionSource = PredictionSource.NETWORK,
    split: Split = Split.TEST,
    units: Ids | None = None,
    probabilities: NDArray[np.float16] | None = None,
    first_row: int = 2,
) -> Predictions:
    """Make predictions of rows one after the other."""
    count = len(gold)
    rows = np.arange(first_row, first_row + count)
    stated = np.zeros((count, 0), dtype=np.float16) if probabilities is None else probabilities
    answers = LabelAnswers(np.asarray(gold, dtype=np.int64), np.asarray(predicted, dtype=np.int64), stated)
    return Predictions(source, split, rows, rows if units is None else units, answers)


def stated(chance: np.random.Generator, predicted: Ids, classes: int) -> NDArray[np.float16]:
    """Make probabilities of which that of the answer is the greatest."""
    odds = chance.random((len(predicted), classes))
    odds[np.arange(len(predicted)), predicted] += 1.0
    odds /= odds.sum(axis=1, keepdims=True)
    return odds.astype(np.float16)
