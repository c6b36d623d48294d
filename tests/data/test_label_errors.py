"""Labels are doubted where a model that had not seen them is sure of another one; the worst come first."""

import numpy as np
import pytest

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data import label_errors
from bert_training.data.label_errors import describe_suspects, find_suspects
from bert_training.data.predictions import LabelAnswers, Predictions

NAMES = ["pessoal", "saude", "tributario"]


def answers_of(rows: int, *, wrong: dict[int, float], split: Split = Split.TRAIN, first: int = 2) -> Predictions:
    """Rows of label row % 3 that are answered right; of `wrong` the given label has that probability, the next most."""
    gold = np.arange(rows) % 3
    probabilities = np.full((rows, 3), 0.1)
    probabilities[np.arange(rows), gold] = 0.8
    for row, of_given in wrong.items():
        probabilities[row] = 0.1
        probabilities[row, gold[row]] = of_given
        probabilities[row, (gold[row] + 1) % 3] = 0.9 - of_given
    numbers = np.arange(first, first + rows)
    answers = LabelAnswers(gold, probabilities.argmax(axis=1), probabilities.astype(np.float16))
    return Predictions(PredictionSource.LINEAR, split, numbers, numbers, answers)


def test_the_least_probable_given_label_comes_first() -> None:
    judged = [
        answers_of(60, wrong={7: 0.09, 30: 0.01}),
        answers_of(60, wrong={3: 0.05}, split=Split.TEST, first=100),
    ]
    suspects = find_suspects(judged)
    errors = describe_suspects(suspects, names=NAMES, source="linear", judged=120)
    assert [(found["row"], found["split"]) for found in errors["suspects"]] == [
        (32, "train"),
        (103, "test"),
        (9, "train"),
    ]
    assert (errors["suspects"][0]["given"], errors["suspects"][0]["suggested"]) == ("pessoal", "saude")
    assert errors["counts"] == {"train": 2, "test": 1}
    assert {part.source for part in suspects} == {PredictionSource.SUSPECT}


def test_an_answer_that_is_less_sure_than_usual_doubts_nothing() -> None:
    judged = answers_of(60, wrong={7: 0.3})  # the other class has 0.6, less than its usual 0.8
    assert find_suspects([judged]) == []


def test_the_order_of_rows_and_their_parts_change_nothing() -> None:
    whole = answers_of(60, wrong={7: 0.09, 30: 0.01, 41: 0.02})
    order = np.random.default_rng(0).permutation(60)
    parts = [whole.take(order[:13]), whole.take(order[13:])]
    found, again = (
        describe_suspects(find_suspects(judged), names=NAMES, source="linear", judged=60) for judged in ([whole], parts)
    )
    assert found == again


def test_a_class_of_few_units_is_not_doubted() -> None:
    judged = answers_of(60, wrong={7: 0.01, 30: 0.01})
    units = np.where(judged.answers.gold == 0, 2, judged.rows)  # one text, copied
    copies = Predictions(judged.source, judged.split, judged.rows, units, judged.answers)
    assert [part.rows.tolist() for part in find_suspects([copies])] == [[9]]


def test_no_more_are_listed_than_people_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_errors, "MOST_SUSPECTS", 2)
    judged = answers_of(60, wrong={7: 0.09, 30: 0.01, 41: 0.02})
    assert [part.rows.tolist() for part in find_suspects([judged])] == [[32, 43]]


def test_without_rows_nothing_is_doubted() -> None:
    assert find_suspects([]) == []
