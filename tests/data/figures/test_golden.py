"""The figures equal those of scikit-learn and seqeval on random cases, and are undefined where there is no example."""

import warnings

import numpy as np
import pytest
from seqeval.metrics import accuracy_score as seqeval_accuracy
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support, roc_auc_score

from bert_training.data.figures.entities import entity_class_figures, entity_figures, iob2_entities
from bert_training.data.figures.labels import (
    auc_roc_macro,
    class_figures,
    classification_figures,
    confusion_matrix,
)

TAGS = ("O", "B-ORG", "I-ORG", "B-PER", "I-PER", "B-A-B", "I-A-B")


def random_case(seed: int, *, classes: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    probabilities = chance.random((rows, classes)).round(1) + 0.01  # rounded: ties must be counted right
    gold = np.where(chance.random(rows) < 0.5, probabilities.argmax(axis=1), chance.integers(0, classes, rows))
    return gold, probabilities / probabilities.sum(axis=1, keepdims=True)


def random_sentences(seed: int) -> tuple[list[list[str]], list[list[str]]]:
    chance = np.random.default_rng(seed)
    gold = [chance.choice(TAGS, size=chance.integers(1, 12)).tolist() for _ in range(30)]
    return gold, [[tag if chance.random() < 0.8 else str(chance.choice(TAGS)) for tag in tags] for tags in gold]


@pytest.mark.parametrize("seed", range(10))
def test_classification_figures_equal_scikit_learn(seed: int) -> None:
    gold, probabilities = random_case(seed, classes=2 + seed % 5, rows=60)
    predicted = probabilities.argmax(axis=1)
    present = sorted(set(gold.tolist()))
    macro = precision_recall_fscore_support(gold, predicted, labels=present, average="macro", zero_division=0)

    figures = classification_figures(gold, probabilities)

    assert figures == {
        "accuracy": pytest.approx(accuracy_score(gold, predicted)),
        "f1_macro": pytest.approx(macro[2]),
        "f1_micro": pytest.approx(f1_score(gold, predicted, average="micro")),
        "f1_weighted": pytest.approx(f1_score(gold, predicted, average="weighted", zero_division=0)),
        "precision_macro": pytest.approx(macro[0]),
        "recall_macro": pytest.approx(macro[1]),
        "auc_roc": pytest.approx(scikit_auc(gold, probabilities)),
    }


def scikit_auc(gold: np.ndarray, probabilities: np.ndarray) -> float:
    """One against the rest, class by class: the same for two classes as for many."""
    return float(np.mean([roc_auc_score(gold == label, probabilities[:, label]) for label in np.unique(gold)]))


@pytest.mark.parametrize("seed", range(5))
def test_class_figures_equal_scikit_learn(seed: int) -> None:
    gold, probabilities = random_case(seed, classes=4, rows=50)
    predicted = probabilities.argmax(axis=1)
    expected = precision_recall_fscore_support(gold, predicted, labels=range(4), zero_division=0)

    rows = class_figures(gold, predicted, ["a", "b", "c", "d"])

    assert [row["precision"] for row in rows] == pytest.approx(expected[0].tolist())
    assert [row["recall"] for row in rows] == pytest.approx(expected[1].tolist())
    assert [row["f1"] for row in rows] == pytest.approx(expected[2].tolist())
    assert [row["support"] for row in rows] == expected[3].tolist()


def test_a_class_without_examples_has_no_figures_and_does_not_lower_the_mean() -> None:
    gold, predicted = np.array([0, 0, 1]), np.array([0, 0, 1])
    probabilities = np.eye(3)[predicted]

    assert class_figures(gold, predicted, ["a", "b", "c"])[2] == {
        "name": "c",
        "precision": None,
        "recall": None,
        "f1": None,
        "support": 0,
    }
    assert classification_figures(gold, probabilities)["f1_macro"] == 1.0


def test_without_rows_every_figure_is_undefined() -> None:
    assert set(classification_figures(np.array([], dtype=int), np.zeros((0, 3))).values()) == {None}
    assert set(entity_figures([], []).values()) == {None}


def test_auc_is_undefined_for_one_class_and_for_probabilities_that_are_no_numbers() -> None:
    assert auc_roc_macro(np.array([1, 1]), np.array([[0.2, 0.8], [0.1, 0.9]])) is None
    assert auc_roc_macro(np.array([0, 1]), np.array([[np.nan, 0.8], [0.1, 0.9]])) is None


def test_the_confusion_matrix_has_gold_in_rows() -> None:
    counts = confusion_matrix(np.array([0, 0, 2]), np.array([0, 1, 2]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("seed", range(10))
def test_entity_figures_equal_seqeval_in_strict_iob2(seed: int) -> None:
    gold, predicted = random_sentences(seed)
    expected = strict_scores(gold, predicted, average="micro", scheme=IOB2)

    figures = entity_figures(gold, predicted)

    assert (figures["precision"], figures["recall"], figures["f1"]) == pytest.approx(expected[:3])
    assert figures["accuracy"] == pytest.approx(seqeval_accuracy(gold, predicted))


@pytest.mark.parametrize("seed", range(5))
def test_entity_class_figures_equal_seqeval(seed: int) -> None:
    gold, predicted = random_sentences(seed)
    with warnings.catch_warnings(action="ignore"):
        expected = strict_scores(gold, predicted, average=None, scheme=IOB2)

    rows = entity_class_figures(gold, predicted, ["A-B", "ORG", "PER"])

    for rate, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert [row[rate] for row in rows] == pytest.approx(values.tolist())  # type: ignore[literal-required]


def test_strict_iob2_takes_no_entity_that_does_not_begin_with_b() -> None:
    assert iob2_entities(["I-PER", "O", "B-PER", "I-PER", "I-LOC", "B-LOC"]) == [("PER", 2, 4), ("LOC", 5, 6)]


def test_an_entity_type_without_examples_has_no_figures() -> None:
    rows = entity_class_figures([["O", "B-PER"]], [["B-LOC", "B-PER"]], ["LOC", "PER"])
    assert [(row["name"], row["f1"], row["support"]) for row in rows] == [("LOC", None, 0), ("PER", 1.0, 1)]
    assert entity_figures([["O"]], [["B-LOC"]])["f1"] is None
