"""Predictions as they travel: one JSON-able record a row, `PredictionRow` of the contract."""

from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.shapes import Entity, ScoredEntity
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions

Record = dict[str, Any]
NUMBERS = ("row", "unit", "words", "right", "invalid", "unseen")


class BrokenPredictions(ValueError):
    """A record is not what a worker of ours sends: says of which row, and why."""


def to_records(predictions: Predictions) -> Iterator[Record]:
    """Yield the record of each row, in order."""
    head = {"split": predictions.split.value, "source": predictions.source.value}
    answers = predictions.answers
    answered = _label_fields(answers) if isinstance(answers, LabelAnswers) else _entity_fields(answers)
    for row, unit, fields in zip(predictions.rows.tolist(), predictions.units.tolist(), answered, strict=True):
        yield {"row": row, **head, "unit": unit, **fields}


def _label_fields(answers: LabelAnswers) -> Iterator[Record]:
    probabilities = np.ascontiguousarray(answers.probabilities, dtype="<f2")
    for place, (gold, predicted) in enumerate(zip(answers.gold.tolist(), answers.predicted.tolist(), strict=True)):
        yield {"gold": gold, "predicted": predicted, "p": b64encode(probabilities[place].tobytes()).decode()}


def _entity_fields(answers: EntityAnswers) -> Iterator[Record]:
    names = NUMBERS[2:]
    counts = zip(*(getattr(answers, name).tolist() for name in names), strict=True)
    for gold, predicted, numbers in zip(answers.gold, answers.predicted, counts, strict=True):
        yield {
            "gold": [[start, end, kind] for kind, start, end in gold],
            "predicted": [[start, end, kind, score] for kind, start, end, score in predicted],
            **dict(zip(names, numbers, strict=True)),
        }


def from_records(records: Iterable[Mapping[str, Any]]) -> list[Predictions]:
    """Put records of any sources and splits together; rows keep their order. Raises BrokenPredictions.

    Holds 4 bytes a probability meanwhile, and no record: pass an iterator.
    """
    groups: dict[tuple[PredictionSource, Split], _Gathered] = {}
    for record in records:
        try:
            key = PredictionSource(record.get("source", PredictionSource.NETWORK)), Split(record["split"])
            groups.setdefault(key, _Gathered()).add(record)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BrokenPredictions(f"The prediction of row {record.get('row')} is broken: {error!r}.") from error
    return [group.predictions(*key) for key, group in groups.items()]


class _Gathered:
    """The records of one source and split, as columns that grow."""

    def __init__(self) -> None:
        self.numbers = {name: array("q") for name in NUMBERS}
        self.gold: list[Any] = []
        self.predicted: list[Any] = []
        self.probabilities = bytearray()
        self.class_count = -1  # until the first record says it

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one more record; raises what a wrong type or length raises."""
        is_label = isinstance(record["gold"], int)
        stated = b64decode(record.get("p", ""), validate=True)
        if self.class_count < 0:
            self.class_count, self.is_label = len(stated) // 2, is_label
        if (len(stated), is_label) != (2 * self.class_count, self.is_label):
            raise ValueError(f"{len(stated)} bytes of probabilities, {2 * self.class_count} in the first row")
        self.gold.append(int(record["gold"]) if is_label else _entities(record["gold"]))
        self.predicted.append(int(record["predicted"]) if is_label else _scored_entities(record["predicted"]))
        self.probabilities += stated
        for name, numbers in self.numbers.items():
            numbers.append(record[name] if name in ("row", "unit") else record.get(name, 0))

    def predictions(self, source: PredictionSource, split: Split) -> Predictions:
        """Return what was gathered."""
        rows, units, *counts = (np.frombuffer(numbers, dtype=np.int64) for numbers in self.numbers.values())
        if not self.is_label:
            return Predictions(source, split, rows, units, EntityAnswers(self.gold, self.predicted, *counts))
        return Predictions(source, split, rows, units, self._labels(len(rows)))

    def _labels(self, count: int) -> LabelAnswers:
        probabilities = np.frombuffer(self.probabilities, dtype="<f2").astype(np.float16, copy=False)
        gold, predicted = np.array(self.gold, dtype=np.int64), np.array(self.predicted, dtype=np.int64)
        return LabelAnswers(gold, predicted, probabilities.reshape(count, self.class_count))


def _entities(found: Sequence[Sequence[Any]]) -> list[Entity]:
    return [(str(kind), int(start), int(end)) for start, end, kind in found]


def _scored_entities(found: Sequence[Sequence[Any]]) -> list[ScoredEntity]:
    return [(str(kind), int(start), int(end), float(score)) for start, end, kind, score in found]
