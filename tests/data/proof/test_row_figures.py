"""Figures that do not follow from counts of classes have the variance that a bootstrap over units would find."""

import numpy as np
import pytest

from bert_training.data.figures.labels import LABELS
from bert_training.data.figures.scores import log_losses
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers
from bert_training.data.proof.row_figures import auc_influences, reach_of, row_figures
from bert_training.data.proof.shares import Z
from tests.data.proof.worlds import stated


def some_answers(rows: int = 300, classes: int = 3) -> LabelAnswers:
    chance = np.random.default_rng(2)
    gold = chance.integers(0, classes, rows)
    predicted = np.where(chance.random(rows) < 0.5, gold, chance.integers(0, classes, rows))
    return LabelAnswers(gold, predicted, stated(chance, predicted, classes))


def resampled(answers: LabelAnswers, figure: str, units: np.ndarray) -> float:
    """Return the standard deviation of a figure over replicates of units that are drawn one by one."""
    chance, values = np.random.default_rng(5), []
    members = [np.flatnonzero(units == unit) for unit in range(units.max() + 1)]
    for _ in range(150):
        rows = np.concatenate([members[unit] for unit in chance.integers(0, len(members), len(members))])
        values.append(LABELS.figures(answers.take(rows), ["a", "b", "c"])[figure])
    return float(np.std(np.array(values, dtype=np.float64)))


@pytest.mark.parametrize("figure", ["auc_roc", "log_loss"])
@pytest.mark.parametrize("copies", [1, 4])
def test_the_reach_is_that_of_a_bootstrap(figure: str, copies: int) -> None:
    answers, units = some_answers(), np.arange(300) // copies
    reach = reach_of(row_figures(answers, units).terms[figure])
    assert reach == pytest.approx(Z * resampled(answers, figure, units), rel=0.2)


def auc(answers: LabelAnswers) -> float:
    return float(LABELS.figures(answers, ["a", "b", "c"])["auc_roc"] or np.nan)


def test_influences_of_auc_add_up_to_nothing_and_say_what_each_row_changes() -> None:
    sharp = some_answers(rows=120)
    coarse = (sharp.probabilities.astype(np.float64) * 4).round() / 4  # so coarse that many are equal
    answers = LabelAnswers(sharp.gold, sharp.predicted, coarse.astype(np.float16))
    influences, every = auc_influences(answers.gold, answers.probabilities), np.arange(120)
    changes = [auc(answers) - auc(answers.take(np.delete(every, row))) for row in range(120)]
    assert influences.sum() == pytest.approx(0.0, abs=1e-12)
    assert influences == pytest.approx(np.array(changes), abs=5e-4)


def test_intervals_stay_where_figures_can_be() -> None:
    gold = np.array([0, 1] * 10)
    sure = LabelAnswers(gold, gold, np.eye(2, dtype=np.float16)[gold])
    found = row_figures(sure, np.arange(20))
    assert found.of("auc_roc", 1.0) is None  # nothing was in the wrong order: this says nothing about other rows
    assert found.of("log_loss", 0.0) == (0.0, 0.0)
    answers = some_answers(rows=12, classes=7)
    narrow = row_figures(answers, np.arange(12))
    for name in ("auc_roc", "top_3", "top_5"):
        low, high = narrow.of(name, LABELS.figures(answers, list("abcdefg"))[name] or 0.0) or (-1.0, 2.0)
        assert 0.0 <= low < high <= 1.0


def test_of_a_single_unit_nothing_is_known() -> None:
    answers = some_answers(rows=30)
    found = row_figures(answers, np.zeros(30, dtype=np.int64))
    assert found.of("log_loss", float(log_losses(answers.gold, answers.probabilities).mean())) is None


def test_words_of_a_sentence_count_together() -> None:
    words, right, none = np.array([10] * 50), np.array([10, 9] * 25), np.zeros(50, dtype=np.int64)
    answers = EntityAnswers([[]] * 50, [[]] * 50, words, right, none, none)
    low, high = row_figures(answers, np.arange(50)).of("accuracy", 0.95) or (0.0, 0.0)
    assert low < 0.95 < high
    assert high - low < 0.045
