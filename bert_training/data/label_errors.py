"""Finds labels to doubt, from answers of models that had not seen the rows; numpy only, for worker and portal alike.

Rows of the same text under different labels, which the profile names too, are kept: here the doubtful one stands out.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource
from bert_training.data.label_doubts import doubt_labels
from bert_training.data.predictions import LabelAnswers, Predictions, merge
from bert_training.data.proof.shape import LabelErrors, Suspect

MOST_SUSPECTS = 1000


def find_suspects(judged: Sequence[Predictions]) -> list[Predictions]:
    """Return the most doubted rows of each split: the given label as gold, the suggested one as predicted.

    judged: answers of one kind of model, each row by one that had learned neither from it nor from its unit.
    """
    parts = merge(judged)
    if not parts:
        return []
    answers = [part.answers for part in parts if isinstance(part.answers, LabelAnswers)]
    doubts = doubt_labels(LabelAnswers.join(answers), np.concatenate([part.units for part in parts]))
    is_chosen = _most_doubted(doubts, np.concatenate([part.rows for part in parts]))
    chosen = np.split(is_chosen, np.cumsum([len(part.rows) for part in parts])[:-1])
    suspects = [part.take(np.flatnonzero(own)) for part, own in zip(parts, chosen, strict=True) if own.any()]
    return [replace(part, source=PredictionSource.SUSPECT) for part in suspects]


def describe_suspects(suspects: Sequence[Predictions], *, names: list[str], source: str, judged: int) -> LabelErrors:
    """List what find_suspects found, the most doubtful first.  source: who doubts.  judged: how many rows."""
    found = [suspect for part in suspects for suspect in _describe(part, names)]
    return {
        "source": source,
        "judged": judged,
        "counts": dict(Counter(suspect["split"] for suspect in found)),
        "suspects": sorted(found, key=lambda suspect: (-suspect["doubt"], suspect["row"]))[:MOST_SUSPECTS],
    }


def _most_doubted(doubts: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the rows that are listed."""
    most = np.lexsort((rows, -doubts))[:MOST_SUSPECTS]
    is_chosen = np.zeros(len(doubts), dtype=bool)
    is_chosen[most] = doubts[most] > 0
    return is_chosen


def _describe(part: Predictions, names: list[str]) -> Iterator[Suspect]:
    answers = part.answers
    if not isinstance(answers, LabelAnswers):
        return
    of_gold = answers.probabilities[np.arange(len(answers)), answers.gold].astype(np.float64)
    for row, gold, predicted, probability in zip(
        part.rows.tolist(), answers.gold, answers.predicted, of_gold.tolist(), strict=True
    ):
        yield Suspect(
            row=row,
            split=part.split.value,
            given=names[gold],
            suggested=names[predicted],
            doubt=1 - probability,
        )
