"""What a model answered for each row, from which alone every figure is computed. Never a row's text.

On the wire a row is one record (`PredictionRow` of the contract); here rows of one source and split stand column by
column. Probabilities are float16 from the moment they are made, so that worker and portal compute with the same ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.entities import Entity

ScoredEntity = tuple[str, int, int, float]  # type, first word, last word + 1, probability


class Answers(Protocol):
    """The answers of rows in order, one kind for each sort of label."""

    def __len__(self) -> int:
        """Return how many rows there are."""

    def take(self, indexes: NDArray[np.int64]) -> Self:
        """Return the answers at these positions, in this order."""


@dataclass(frozen=True)
class LabelAnswers:
    """One label a row, as an id: the index among the run's label names.

    gold, predicted: (N,) int64.  probabilities: (N, K) float16; (N, 0) of who has none.
    """

    gold: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, indexes: NDArray[np.int64]) -> Self:
        """Return the answers at these positions, in this order."""
        return type(self)(self.gold[indexes], self.predicted[indexes], self.probabilities[indexes])


@dataclass(frozen=True)
class EntityAnswers:
    """The entities of each row (a sentence), read from its tags by strict IOB2.

    words, right, invalid, unseen: (N,) int64: words, those with the right tag, predicted tags that continue nothing
    (I- where no entity of that type goes on), and words that were cut off and so never judged.
    """

    gold: Sequence[Sequence[Entity]]
    predicted: Sequence[Sequence[ScoredEntity]]
    words: NDArray[np.int64]
    right: NDArray[np.int64]
    invalid: NDArray[np.int64]
    unseen: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, indexes: NDArray[np.int64]) -> Self:
        """Return the answers at these positions, in this order."""
        return type(self)(
            [self.gold[index] for index in indexes],
            [self.predicted[index] for index in indexes],
            self.words[indexes],
            self.right[indexes],
            self.invalid[indexes],
            self.unseen[indexes],
        )


@dataclass(frozen=True)
class Predictions:
    """What one source answered for rows of one split.

    rows: (N,) int64, numbers of the rows in the spreadsheet.  units: (N,) int64, the row number of the first row of
    each row's unit: near-duplicates and rows of a group count as one when chance is judged.
    """

    source: PredictionSource
    split: Split
    rows: NDArray[np.int64]
    units: NDArray[np.int64]
    answers: LabelAnswers | EntityAnswers
