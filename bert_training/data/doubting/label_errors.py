"""Finds labels to doubt, from answers of models that had not seen the rows; numpy only, for worker and portal alike.

Rows of the same text under different labels, which the profile names too, are kept: here the doubtful one stands out.
`data.proof.suspects` puts what is found into words.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource
from bert_training.data.doubting.entity_doubts import doubt_entities
from bert_training.data.doubting.label_doubts import doubt_labels
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions, merge

MOST_SUSPECTS = 1000


def find_suspects(judged: Sequence[Predictions]) -> list[Predictions]:
    """Return the most doubted rows of each split: what was given as gold, what is suggested as predicted.

    Of a sentence only the most doubted place is kept: one entity given (none where it is missing) and one suggested
    (type "" where there should be none), whose score is the doubt.
    judged: answers of one kind of model, each row by one that had learned neither from it nor from its unit.
    """
    parts = merge([replace(part, source=PredictionSource.SUSPECT) for part in judged])
    if not parts:
        return []
    rows, units = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "units"))
    doubts, answers = _doubt([part.answers for part in parts], units)
    is_chosen = _most_doubted(doubts, rows)
    found, begin = [], 0
    for part in parts:
        chosen = begin + np.flatnonzero(is_chosen[begin : begin + len(part.rows)])
        begin += len(part.rows)
        if len(chosen):
            found.append(replace(part, rows=rows[chosen], units=units[chosen], answers=answers.take(chosen)))
    return found


def _doubt(
    parts: Sequence[LabelAnswers | EntityAnswers], units: NDArray[np.int64]
) -> tuple[NDArray[np.float64], LabelAnswers | EntityAnswers]:
    """Return how much each row is doubted and what to show of it."""
    labels = [part for part in parts if isinstance(part, LabelAnswers)]
    if labels:
        answers = LabelAnswers.join(labels)
        return doubt_labels(answers, units), answers
    return doubt_entities(EntityAnswers.join([part for part in parts if isinstance(part, EntityAnswers)]))


def _most_doubted(doubts: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the rows that are listed; among equals those that come first in the spreadsheet."""
    most = np.lexsort((rows, -doubts))[:MOST_SUSPECTS]
    is_chosen = np.zeros(len(doubts), dtype=bool)
    is_chosen[most] = doubts[most] > 0
    return is_chosen
