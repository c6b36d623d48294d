"""ROC and precision-recall curves go through points of scikit-learn's, few enough for a page."""

import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_curve

from bert_training.data.figures.curves import CURVE_POINTS, CURVED_CLASSES
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import LabelAnswers
from tests.data.figures.cases import label_case, names_of


def large_case(rows: int) -> LabelAnswers:
    """Return two classes with nearly as many different probabilities as rows."""
    chance = np.random.default_rng(7)
    gold = chance.integers(0, 2, rows)
    second = 1 / (1 + np.exp(-chance.normal(gold - 0.5, 1.0)))
    stated = np.stack([1 - second, second], axis=1).astype(np.float16)
    return LabelAnswers(gold, stated.argmax(axis=1), stated)


@pytest.mark.parametrize("seed", range(4))
def test_a_short_roc_curve_is_that_of_scikit_learn(seed: int) -> None:
    answers = label_case(seed, rows=80, classes=3)
    curves = LABELS.details(answers, names_of(3))["curves"]["roc"]
    for label, name in enumerate(names_of(3)):
        false, true, _ = roc_curve(answers.gold == label, answers.probabilities[:, label].astype(float))
        x, y = np.array(curves[name]).T
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        assert auc(x, y) == pytest.approx(auc(false, true), abs=1e-4)
        assert {tuple(point) for point in curves[name]} <= set(zip(false.round(5), true.round(5), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_a_short_precision_recall_curve_goes_through_points_of_scikit_learn(seed: int) -> None:
    answers = label_case(seed, rows=80, classes=3)
    curves = LABELS.details(answers, names_of(3))["curves"]["pr"]
    for label, name in enumerate(names_of(3)):
        precision, recall, _ = precision_recall_curve(answers.gold == label, answers.probabilities[:, label])
        points = list(zip(recall.round(5).tolist(), precision.round(5).tolist(), strict=True))
        assert {tuple(point) for point in curves[name]} <= set(points)
        assert curves[name][0] == [0.0, 1.0]
        assert curves[name][-1][0] == 1.0


def test_a_long_curve_is_thinned_without_points_of_its_own() -> None:
    answers = large_case(5000)
    curves = LABELS.details(answers, names_of(2))["curves"]
    for label, name in enumerate(names_of(2)):
        false, true, _ = roc_curve(answers.gold == label, answers.probabilities[:, label].astype(float))
        kept = curves["roc"][name]
        assert CURVE_POINTS / 2 < len(kept) <= CURVE_POINTS
        assert len(curves["pr"][name]) <= CURVE_POINTS
        assert {tuple(point) for point in kept} <= set(zip(false.round(5), true.round(5), strict=True))
        assert auc(*np.array(kept).T) == pytest.approx(auc(false, true), abs=0.002)


def test_there_are_no_curves_of_many_classes_nor_of_a_class_without_examples() -> None:
    many = CURVED_CLASSES + 1
    assert LABELS.details(label_case(1, rows=99, classes=many), names_of(many))["curves"] == {}
    answers = label_case(1, rows=30, classes=3)
    answers.gold[answers.gold == 1] = 0
    assert set(LABELS.details(answers, names_of(3))["curves"]["roc"]) == {"class 00", "class 02"}
