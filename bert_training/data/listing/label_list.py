"""The answers of a classifier as a list: which rows fit a wish, in which order, and what was the most probable.

Of the probabilities only those of the first TOP labels are kept: 100,000 rows of 50 classes take 3 MB instead of 10.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.data.table import PART_STRIDE

TOP = 3


class Order(StrEnum):
    """In which order rows are listed."""

    SURE = "sure"  # the most confident answers first
    UNSURE = "unsure"
    ROW = "row"


@dataclass(frozen=True)
class LabelWish:
    """Which rows somebody wants to see; None leaves all. given, answered: ids.  low, high: bounds of the probability.

    row: as a person counts, in whichever file.  among: numbers of rows, of which these must be.
    """

    given: int | None = None
    answered: int | None = None
    is_right: bool | None = None
    low: float | None = None
    high: float | None = None
    row: int | None = None
    among: NDArray[np.int64] | None = None
    order: Order = Order.SURE


@dataclass(frozen=True)
class LabelList:
    """N rows. best, stated: (N, T) the most probable labels and their probabilities, T = TOP or fewer.

    certainty: (N,) the probability of the answer, NaN where none was stated.
    """

    rows: NDArray[np.int64]
    gold: NDArray[np.int32]
    predicted: NDArray[np.int32]
    certainty: NDArray[np.float32]
    best: NDArray[np.int32]
    stated: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Tell for each row whether the answer is what the spreadsheet says."""
        right: NDArray[np.bool_] = self.gold == self.predicted
        return right

    def places(self, wish: LabelWish) -> list[int]:
        """Return where the wished rows stand, in the wished order."""
        found = np.flatnonzero(_fits(self, wish))
        found_list: list[int] = found[_ordered(self.rows[found], self.certainty[found], wish.order)].tolist()
        return found_list

    def top(self, place: int) -> list[tuple[int, float]]:
        """Return the most probable labels of a row."""
        return list(zip(self.best[place].tolist(), self.stated[place].tolist(), strict=True))


def list_labels(parts: Sequence[Predictions]) -> LabelList | None:
    """Make a list of answers; None of no rows. 100,000 rows of 50 classes take 0.05 s."""
    pieces = [list(_columns(part)) for part in parts if len(part.rows)]
    if not pieces:
        return None
    return LabelList(*(np.concatenate(columns) for columns in zip(*pieces, strict=True)))


def _columns(part: Predictions) -> Iterator[NDArray[Any]]:
    answers = part.answers
    assert isinstance(answers, LabelAnswers)
    yield part.rows
    yield answers.gold.astype(np.int32)
    yield answers.predicted.astype(np.int32)
    stated = answers.probabilities
    if stated.shape[1]:
        yield stated[np.arange(len(answers)), answers.predicted].astype(np.float32)
    else:
        yield np.full(len(answers), np.nan, dtype=np.float32)
    yield from _most_probable(stated)


def _most_probable(stated: NDArray[np.float16]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return ids and probabilities of the first TOP labels, (N, T) each; of equal ones the lower id first."""
    count, classes = stated.shape
    known = np.where(np.isnan(stated), np.float16(0), stated)
    bits = known.view(np.uint16)  # of numbers from 0 to 1 in the order of the numbers, and 8 times as quick to compare
    at = np.arange(count)
    columns = []
    for _place in range(min(TOP, classes)):
        first = bits.argmax(axis=1)
        columns.append((first, known[at, first].astype(np.float32)))
        bits[at, first] = 0
    if not columns:
        return np.zeros((count, 0), dtype=np.int32), np.zeros((count, 0), dtype=np.float32)
    ids, shares = zip(*columns, strict=True)
    return np.stack(ids, axis=1).astype(np.int32), np.stack(shares, axis=1)


def _fits(listed: LabelList, wish: LabelWish) -> NDArray[np.bool_]:
    fits = np.ones(len(listed), dtype=np.bool_)
    if wish.given is not None:
        fits &= listed.gold == wish.given
    if wish.answered is not None:
        fits &= listed.predicted == wish.answered
    if wish.is_right is not None:
        fits &= listed.is_right == wish.is_right
    # A probability of 0.9 is 0.8999 in float16, as it was stored: it reaches 0.9 all the same.
    if wish.low is not None:
        fits &= listed.certainty >= np.float16(wish.low)
    if wish.high is not None:
        fits &= listed.certainty <= np.float16(wish.high)
    return fits & are_wanted(listed.rows, wish.row, wish.among)


def are_wanted(rows: NDArray[np.int64], row: int | None, among: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Tell which rows have that number in their file, and are among others."""
    wanted = np.ones(len(rows), dtype=np.bool_)
    if row is not None:
        wanted &= rows % PART_STRIDE == row
    if among is not None:
        wanted &= np.isin(rows, among)
    return wanted


def _ordered(rows: NDArray[np.int64], certainty: NDArray[np.float32], order: Order) -> NDArray[np.int64]:
    """Order rows; equal ones, and those without a probability at the end, by their number."""
    if order is Order.ROW:
        return np.argsort(rows, kind="stable")
    key = -certainty if order is Order.SURE else certainty
    return np.lexsort((rows, key))
