"""What a model answered for each row, from which alone every figure is computed. Never a row's text.

On the wire a row is one record (`data.prediction_records`), in a file one line (`data.prediction_files`); here rows
of one source and split stand column by column. Probabilities are float16 from the moment they are made, so that worker
and portal compute with the same ones.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.shapes import Entity, ScoredEntity


class Answers(Protocol):
    """The answers of rows in order, one kind for each sort of label."""

    def __len__(self) -> int:
        """Return how many rows there are."""

    def take(self, indexes: NDArray[np.int64]) -> Self:
        """Return the answers at these positions, in this order."""

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put answers one after the other."""

    def canonical(self) -> Iterator[bytes | memoryview]:
        """Yield bytes that are the same for the same answers alone, on every machine."""


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

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put answers one after the other."""
        return cls(
            np.concatenate([part.gold for part in parts]),
            np.concatenate([part.predicted for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
        )

    def canonical(self) -> Iterator[bytes | memoryview]:
        """Yield classes, gold, predicted and the bits of the probabilities."""
        yield f"labels {self.probabilities.shape[1]}".encode()
        yield _bytes(self.gold, "<i8")
        yield _bytes(self.predicted, "<i8")
        yield _bytes(self.probabilities, "<f2")


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

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put answers one after the other."""
        return cls(
            [entities for part in parts for entities in part.gold],
            [entities for part in parts for entities in part.predicted],
            np.concatenate([part.words for part in parts]),
            np.concatenate([part.right for part in parts]),
            np.concatenate([part.invalid for part in parts]),
            np.concatenate([part.unseen for part in parts]),
        )

    def canonical(self) -> Iterator[bytes | memoryview]:
        """Yield the entities of each row by their place, and the counts."""
        yield b"entities"
        for gold, predicted in zip(self.gold, self.predicted, strict=True):
            yield json.dumps([sorted(gold, key=_place), sorted(predicted, key=_place)]).encode()
        for counts in (self.words, self.right, self.invalid, self.unseen):
            yield _bytes(counts, "<i8")


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

    def take(self, indexes: NDArray[np.int64]) -> Self:
        """Return the rows at these positions, in this order."""
        return type(self)(self.source, self.split, self.rows[indexes], self.units[indexes], self.answers.take(indexes))


def in_row_order(part: Predictions) -> Predictions:
    """Return the same answers by the number of their rows."""
    return part.take(np.argsort(part.rows, kind="stable"))


def merge(predictions: Sequence[Predictions]) -> list[Predictions]:
    """Join those of the same source and split, in the order in which they first come; leave out what has no row."""
    groups: dict[tuple[PredictionSource, Split], list[Predictions]] = {}
    for part in predictions:
        if len(part.rows):
            groups.setdefault((part.source, part.split), []).append(part)
    return [parts[0] if len(parts) == 1 else _join(parts) for parts in groups.values()]


def _join(parts: list[Predictions]) -> Predictions:
    return Predictions(
        parts[0].source,
        parts[0].split,
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.units for part in parts]),
        _join_answers([part.answers for part in parts]),
    )


def _join_answers(parts: Sequence[LabelAnswers | EntityAnswers]) -> LabelAnswers | EntityAnswers:
    labels = [part for part in parts if isinstance(part, LabelAnswers)]
    if labels:
        return LabelAnswers.join(labels)
    return EntityAnswers.join([part for part in parts if isinstance(part, EntityAnswers)])


def prediction_digest(predictions: Sequence[Predictions]) -> str:
    """Return the SHA-256 of all answers, whatever the order of rows and however they are cut into parts.

    Units are no answers and play no part. A million rows of 10 classes take 0.05 s.
    """
    digest = hashlib.sha256()
    for group in sorted(merge(predictions), key=lambda group: (group.source, group.split)):
        in_order = in_row_order(group)
        digest.update(f"{group.source} {group.split} {len(in_order.rows)} ".encode())
        digest.update(_bytes(in_order.rows, "<i8"))
        for part in in_order.answers.canonical():
            digest.update(part)
    return digest.hexdigest()


def _bytes(column: NDArray[Any], kind: str) -> memoryview:
    """Return the bytes of an array as they stand in memory of a little-endian machine, without a copy there."""
    return np.ascontiguousarray(column, dtype=kind).data.cast("B") if column.size else memoryview(b"")


def _place(entity: Sequence[Any]) -> tuple[int, int, str]:
    return entity[1], entity[2], entity[0]
