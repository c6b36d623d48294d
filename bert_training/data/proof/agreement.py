"""How the answers of two networks compare on the test rows that both answered: how many are equal, who is better."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.judgement import Judgement
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.data.proof.prove import compare


class Agreement(TypedDict):
    """rows: test rows that both answered, with the same right answer.  equal: those that both answered alike.

    first_rows, second_rows: all test rows of each.  difference: of the second to the first on the deciding metric over
    `rows`; low and high bound its paired 95 % interval, None where none can be made.
    """

    rows: int
    first_rows: int
    second_rows: int
    equal: int
    metric: str
    difference: float | None
    low: float | None
    high: float | None


def agree(
    first: Predictions, second: Predictions, *, judgement: Judgement[Any], names: list[str], metric: str, seed: int
) -> Agreement:
    """Compare two networks. names: of classes or entity types, the same for both (`with_names`)."""
    here, there = _shared(first, second)
    mine, theirs = first.take(here), second.take(there)
    decided, gain = compare(theirs, mine, judgement=judgement, names=names, metric=metric, seed=seed)
    return {
        "rows": len(here),
        "first_rows": len(first.rows),
        "second_rows": len(second.rows),
        "equal": sum(_are_equal(mine.answers, theirs.answers)),
        "metric": decided,
        "difference": gain["value"],
        "low": gain["low"],
        "high": gain["high"],
    }


def network_on_test(predictions: Sequence[Predictions]) -> Predictions | None:
    """Return what the network answered for the test rows."""
    wanted = (PredictionSource.NETWORK, Split.TEST)
    return next((part for part in predictions if (part.source, part.split) == wanted), None)


def with_names(predictions: Predictions, names: list[str], all_names: list[str]) -> Predictions:
    """Return the same answers with ids of another list of names, which holds all of `names`."""
    answers = predictions.answers
    if names == all_names or not isinstance(answers, LabelAnswers):
        return predictions
    ids = np.array([all_names.index(name) for name in names], dtype=np.int64)
    probabilities = np.zeros((len(answers), len(all_names)), dtype=np.float16)
    if answers.probabilities.shape[1]:
        probabilities[:, ids] = answers.probabilities
    return replace(predictions, answers=LabelAnswers(ids[answers.gold], ids[answers.predicted], probabilities))


def _shared(first: Predictions, second: Predictions) -> tuple[Any, Any]:
    """Return the positions of the rows that both answered, where the right answer is the same."""
    _, here, there = np.intersect1d(first.rows, second.rows, return_indices=True)
    gold, other = first.answers.take(here).gold, second.answers.take(there).gold
    same = np.array([_plain(one) == _plain(two) for one, two in zip(gold, other, strict=True)], dtype=bool)
    return here[same], there[same]


def _plain(gold: Any) -> Any:
    """Return one right answer in a form that compares: an id, or entities in any order."""
    return sorted(map(tuple, gold)) if isinstance(gold, Sequence) else int(gold)


def _are_equal(mine: LabelAnswers | EntityAnswers, theirs: LabelAnswers | EntityAnswers) -> list[bool]:
    """Tell for each row whether both answered the same: the label, or the entities whatever their scores."""
    if isinstance(mine, LabelAnswers) and isinstance(theirs, LabelAnswers):
        return list(map(bool, mine.predicted == theirs.predicted))
    pairs = zip(mine.predicted, theirs.predicted, strict=True)
    return [{entity[:3] for entity in one} == {entity[:3] for entity in two} for one, two in pairs]
