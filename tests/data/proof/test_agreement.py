"""How the answers of two networks compare on the rows that both answered."""

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.data.proof.agreement import agree, network_on_test, with_names


def labels(rows: list[int], gold: list[int], predicted: list[int], classes: int = 2) -> Predictions:
    """Return answers of a network for test rows."""
    numbers = np.array(rows, dtype=np.int64)
    stated = np.eye(classes, dtype=np.float16)[predicted]
    answers = LabelAnswers(np.array(gold), np.array(predicted), stated)
    return Predictions(PredictionSource.NETWORK, Split.TEST, numbers, numbers, answers)


def test_only_shared_rows_with_the_same_right_answer_are_compared() -> None:
    first = labels([2, 3, 4, 5], [0, 1, 0, 1], [0, 1, 1, 1])
    second = labels([5, 4, 3, 9], [1, 1, 1, 0], [0, 1, 1, 0])  # row 4 was labelled otherwise, row 9 is new
    found = agree(first, second, judgement=LABELS, names=["a", "b"], metric="accuracy", seed=1)
    assert (found["rows"], found["first_rows"], found["second_rows"], found["equal"]) == (2, 4, 4, 1)
    assert found["difference"] == -0.5  # rows 3 and 5: the first has both, the second one


def test_equal_answers_have_no_difference() -> None:
    first = labels(list(range(40)), [0, 1] * 20, [0, 1] * 20)
    found = agree(first, first, judgement=LABELS, names=["a", "b"], metric="f1_macro", seed=1)
    assert (found["equal"], found["difference"], found["low"], found["high"]) == (40, 0, 0, 0)


def test_no_shared_rows_are_no_difference_either() -> None:
    found = agree(labels([2], [0], [0]), labels([3], [0], [0]), judgement=LABELS, names=["a"], metric="f1", seed=1)
    assert (found["rows"], found["difference"]) == (0, None)


def test_labels_are_the_same_by_name_whatever_their_ids() -> None:
    second = with_names(labels([2, 3], [0, 1], [0, 0]), ["b", "c"], ["a", "b", "c"])
    assert isinstance(second.answers, LabelAnswers)
    assert second.answers.gold.tolist() == [1, 2]
    assert second.answers.predicted.tolist() == [1, 1]
    assert second.answers.probabilities.tolist() == [[0, 1, 0], [0, 1, 0]]


def test_entities_are_equal_by_type_and_place_not_by_score() -> None:
    zero, two = np.zeros(2, dtype=np.int64), np.array([2, 3])

    def entities(score: float, end: int) -> Predictions:
        found = [[("PER", 0, end, score)], [("ORG", 1, 2, score)]]
        answers = EntityAnswers([[("PER", 0, 1)], [("ORG", 1, 2)]], found, zero + 3, zero + 3, zero, zero)
        return Predictions(PredictionSource.NETWORK, Split.TEST, two, two, answers)

    def equal(first: Predictions, second: Predictions) -> int:
        return agree(first, second, judgement=ENTITIES, names=["ORG", "PER"], metric="f1", seed=1)["equal"]

    assert equal(entities(0.9, 1), entities(0.6, 1)) == 2
    assert equal(entities(0.9, 1), entities(0.9, 2)) == 1


def test_the_network_is_told_from_the_baselines() -> None:
    network = labels([2], [0], [0])
    assert network_on_test([network]) is network
    assert network_on_test([]) is None
