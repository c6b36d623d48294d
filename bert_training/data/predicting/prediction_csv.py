"""Predictions as CSV for people and their programs: a line a row and source, names instead of ids."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from bert_training.data.figures.shapes import Entity, ScoredEntity
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.data.writing.formula_signs import harmless

HEAD = ("row", "split", "source", "gold", "predicted", "probability")


def write_csv(
    parts: Iterable[Predictions],
    file: TextIO,
    *,
    names: Sequence[str],
    separator: str = ",",
    decimal_sign: str = ".",
) -> None:
    """Write one part after the other. names: of the labels, in the order of their ids.

    Entities stand as `type[first word:last word + 1]`, separated by spaces. probability: of what was predicted, for
    entities the lowest; empty where there is none.
    """
    writer = csv.writer(file, delimiter=separator)
    writer.writerow(HEAD)
    for part in parts:
        head = (part.split.value, part.source.value)
        writer.writerows(
            (row, *head, *map(harmless, answer[:2]), answer[2].replace(".", decimal_sign))
            for row, answer in zip(part.rows.tolist(), _answers(part.answers, names), strict=True)
        )


def _answers(answers: LabelAnswers | EntityAnswers, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield gold, predicted and probability of each row as text."""
    if isinstance(answers, EntityAnswers):
        for gold, predicted in zip(answers.gold, answers.predicted, strict=True):
            yield _entities(gold), _entities(predicted), _shown(min((found[3] for found in predicted), default=None))
        return
    stated = answers.probabilities
    for place, (gold, label) in enumerate(zip(answers.gold.tolist(), answers.predicted.tolist(), strict=True)):
        yield names[gold], names[label], _shown(float(stated[place, label]) if stated.shape[1] else None)


def _entities(found: Sequence[Entity] | Sequence[ScoredEntity]) -> str:
    return " ".join(f"{kind}[{start}:{end}]" for kind, start, end, *_score in found)


def _shown(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.4f}"
