"""Figures of one label a text equal those of scikit-learn, and are undefined where there is no example."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from bert_training.data.figures.labels import LABELS
from bert_training.data.figures.rates import class_rates
from bert_training.data.predicting.predictions import LabelAnswers
from tests.data.figures.cases import label_case, names_of

CASES = [(seed, 2 + seed % 5, (60, 1, 400)[seed % 3]) for seed in range(12)]
cases = pytest.mark.parametrize(("seed", "classes", "rows"), CASES)


def answers_of(gold: list[int], predicted: list[int], *, classes: int) -> LabelAnswers:
    """Return answers that are certain of what they say."""
    return LabelAnswers(np.array(gold), np.array(predicted), np.eye(classes, dtype=np.float16)[predicted])


def means_of_scikit_learn(answers: LabelAnswers, mean: str) -> dict[str, Any]:
    present = None if mean == "micro" else np.unique(answers.gold)
    found = metrics.precision_recall_fscore_support(
        answers.gold, answers.predicted, labels=present, average=mean, zero_division=0
    )
    return dict(zip((f"precision_{mean}", f"recall_{mean}", f"f1_{mean}"), found[:3], strict=True))


def scores_of_scikit_learn(answers: LabelAnswers) -> dict[str, Any]:
    """One against the rest, class by class: the same for two classes as for many."""
    gold, stated = answers.gold, answers.probabilities.astype(np.float64)
    judged = [label for label in np.unique(gold) if not (gold == label).all()]
    with warnings.catch_warnings(action="ignore"):  # float16 probabilities do not sum to 1 exactly
        return {
            "auc_roc": _mean(metrics.roc_auc_score(gold == label, stated[:, label]) for label in judged),
            "auc_pr": _mean(metrics.average_precision_score(gold == label, stated[:, label]) for label in judged),
            "log_loss": metrics.log_loss(gold, stated.clip(2.0**-24), labels=range(stated.shape[1])),
        }


def _mean(values: Any) -> float | None:
    found = list(values)
    return float(np.mean(found)) if found else None


@cases
def test_every_figure_equals_that_of_scikit_learn(seed: int, classes: int, rows: int) -> None:
    answers = label_case(seed, rows=rows, classes=classes)
    gold, predicted = answers.gold, answers.predicted
    has_two = len(np.unique(gold)) > 1
    with warnings.catch_warnings(action="ignore"):
        kappa = float(metrics.cohen_kappa_score(gold, predicted))
        expected = {
            "accuracy": metrics.accuracy_score(gold, predicted),
            **means_of_scikit_learn(answers, "macro"),
            **means_of_scikit_learn(answers, "micro"),
            **means_of_scikit_learn(answers, "weighted"),
            "mcc": metrics.matthews_corrcoef(gold, predicted) if has_two else None,
            "kappa": None if np.isnan(kappa) else kappa,
            **scores_of_scikit_learn(answers),
        }

    figures = LABELS.figures(answers, names_of(classes))

    assert {name: value for name, value in figures.items() if not name.startswith("top_")} == {
        name: value if value is None else pytest.approx(value) for name, value in expected.items()
    }


@cases
def test_the_figures_of_each_class_equal_those_of_scikit_learn(seed: int, classes: int, rows: int) -> None:
    answers = label_case(seed, rows=rows, classes=classes)
    expected = metrics.precision_recall_fscore_support(
        answers.gold, answers.predicted, labels=range(classes), zero_division=0
    )

    found = LABELS.classes(answers, names_of(classes))

    assert [row["support"] for row in found] == expected[3].tolist()
    for rate, values in zip(("precision", "recall", "f1"), expected, strict=False):
        wanted = [value if row["support"] else None for value, row in zip(values, found, strict=True)]
        assert [row[rate] for row in found] == [  # type: ignore[literal-required]
            value if value is None else pytest.approx(value) for value in wanted
        ]


@pytest.mark.parametrize("seed", range(4))
def test_the_share_among_the_most_probable_equals_that_of_scikit_learn(seed: int) -> None:
    chance = np.random.default_rng(seed)
    stated = chance.permuted(np.tile(np.linspace(0.01, 0.5, 6, dtype=np.float16), (50, 1)), axis=1)  # no two equal
    answers = LabelAnswers(chance.integers(0, 6, 50), stated.argmax(axis=1), stated)
    for size in (3, 5):
        expected = metrics.top_k_accuracy_score(answers.gold, stated, k=size, labels=range(6))
        assert LABELS.figures(answers, names_of(6))[f"top_{size}"] == pytest.approx(expected)


def test_among_classes_of_one_probability_those_within_the_first_k_are_drawn_by_lot() -> None:
    stated = np.array([[0.25] * 4, [0.1, 0.1, 0.1, 0.7], [0.4, 0.4, 0.1, 0.1], [0.3, 0.3, 0.3, 0.1]], dtype=np.float16)
    answers = LabelAnswers(np.array([0, 1, 2, 3]), np.array([0, 3, 0, 0]), stated)
    assert LABELS.figures(answers, names_of(4))["top_3"] == pytest.approx((3 / 4 + 2 / 3 + 1 / 2 + 0) / 4)


def test_a_share_among_the_most_probable_is_given_only_where_there_are_more_classes() -> None:
    assert "top_3" not in LABELS.figures(label_case(1, rows=9, classes=3), names_of(3))
    figures = LABELS.figures(label_case(1, rows=9, classes=4), names_of(4))
    assert ("top_3" in figures, "top_5" in figures) == (True, False)


@cases
def test_confusion_counts_pairs_of_gold_and_predicted(seed: int, classes: int, rows: int) -> None:
    answers = label_case(seed, rows=rows, classes=classes)
    counts = np.zeros((classes, classes), dtype=int)
    for gold, predicted, count in LABELS.details(answers, names_of(classes))["confusion"]:
        counts[gold, predicted] = count
    expected = metrics.confusion_matrix(answers.gold, answers.predicted, labels=range(classes))
    assert counts.tolist() == expected.tolist()


def test_a_class_without_examples_has_no_figures_and_does_not_lower_the_mean() -> None:
    answers = answers_of([0, 0, 1], [0, 0, 1], classes=3)
    nothing = {"name": "class 02", "precision": None, "recall": None, "f1": None, "support": 0}
    assert LABELS.classes(answers, names_of(3))[2] == nothing
    figures = LABELS.figures(answers, names_of(3))
    assert (figures["f1_macro"], figures["auc_roc"], figures["auc_pr"]) == (1.0, 1.0, 1.0)


def test_a_class_that_is_answered_where_it_has_no_example_stays_without_figures() -> None:
    figures = LABELS.classes(answers_of([0, 1], [0, 2], classes=3), names_of(3))
    assert [row["precision"] for row in figures] == [1.0, 0.0, None]


def test_without_rows_every_figure_is_undefined() -> None:
    figures = LABELS.figures(label_case(1, rows=0, classes=3), names_of(3))
    assert set(figures.values()) == {None}
    assert {"accuracy", "f1_macro", "mcc", "auc_roc", "log_loss"} <= figures.keys()


def test_without_probabilities_the_figures_of_answers_are_all() -> None:
    answers = LabelAnswers(np.array([0, 1]), np.array([0, 0]), np.zeros((2, 0), dtype=np.float16))
    figures = LABELS.figures(answers, names_of(2))
    assert figures["mcc"] == 0.0  # who always answers the same knows nothing
    assert not {"auc_roc", "auc_pr", "log_loss"} & figures.keys()
    assert LABELS.details(answers, names_of(2))["curves"] == {}
    assert [len(column) for column in LABELS.confidences(answers)] == [0, 0]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -0.5, 1.5])
def test_probabilities_that_are_none_have_no_figures(broken: float) -> None:
    answers = label_case(1, rows=9, classes=2)
    answers.probabilities[3, 1] = broken
    figures = LABELS.figures(answers, names_of(2))
    assert [figures[name] for name in ("auc_roc", "auc_pr", "log_loss")] == [None, None, None]


@pytest.mark.parametrize(("gold", "predicted"), [([0, 3], [0, 1]), ([0, 1], [0, -1])])
def test_an_id_that_is_no_class_is_refused(gold: list[int], predicted: list[int]) -> None:
    with pytest.raises(ValueError, match="but there are 3 classes"):
        LABELS.tally(LabelAnswers(np.array(gold), np.array(predicted), np.zeros((2, 0), np.float16)), names_of(3))


def test_the_answer_is_what_is_stored_not_the_largest_probability() -> None:
    """Float16 makes equals of two probabilities that were different."""
    answers = LabelAnswers(np.array([1]), np.array([1]), np.full((1, 2), 0.5, dtype=np.float16))
    assert LABELS.figures(answers, names_of(2))["accuracy"] == 1.0
    assert LABELS.confidences(answers)[1].tolist() == [True]


def test_the_confidence_is_that_of_the_answer_even_where_another_class_is_more_probable() -> None:
    answers = LabelAnswers(np.array([0, 1]), np.array([0, 0]), np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float16))
    stated, right = LABELS.confidences(answers)
    assert (stated.tolist(), right.tolist()) == ([0.25, 0.5], [True, False])


@pytest.mark.parametrize("seed", range(4))
def test_counts_of_each_row_lead_to_the_figures(seed: int) -> None:
    answers = label_case(seed, rows=50, classes=4)
    tally = LABELS.tally(answers, names_of(4))
    of_rows = np.zeros((50, 3, 4))
    np.add.at(of_rows, (tally.rows, tally.kinds, tally.classes), tally.amounts)
    assert of_rows[:, 1:].sum(axis=2).tolist() == [[1.0, 1.0]] * 50
    assert of_rows[:, 0].sum(axis=1).tolist() == (answers.gold == answers.predicted).tolist()

    parts = np.stack([of_rows[:25].sum(axis=0), of_rows[25:].sum(axis=0), of_rows.sum(axis=0)])
    figures = [LABELS.figures(answers.take(np.arange(*ends)), names_of(4)) for ends in ((25,), (25, 50), (50,))]
    for name, values in LABELS.rates(parts).items():
        assert values.tolist() == pytest.approx([each[name] for each in figures]), name
    assert class_rates(parts)["f1"].shape == (3, 4)
