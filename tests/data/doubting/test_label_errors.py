"""Labels are doubted where a model that had not seen them is sure of another one; the worst come first."""

import numpy as np
import pytest

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.doubting import label_errors
from bert_training.data.doubting.label_errors import find_suspects
from bert_training.data.figures.shapes import Entity, ScoredEntity
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.data.proof.suspects import linear_suspects

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
    errors = linear_suspects(suspects, names=NAMES, judged=120)
    assert errors is not None
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
    found, again = (linear_suspects(find_suspects(judged), names=NAMES, judged=60) for judged in ([whole], parts))
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


LONG = ("PESSOA", 0, 3)


def sentences_of(given: list[Entity], answered: list[ScoredEntity]) -> Predictions:
    """A sentence of 9 words in row 22; before it 20 whose person is answered right with a score of 0.8."""
    numbers, words = np.arange(2, 23), np.full(21, 9)
    answers = EntityAnswers(
        [*[[LONG]] * 20, given], [*[[(*LONG, 0.8)]] * 20, answered], words, words, words * 0, words * 0
    )
    return Predictions(PredictionSource.LINEAR, Split.TRAIN, numbers, numbers, answers)


@pytest.mark.parametrize(
    ("given", "answered", "doubt"),
    [
        ([("LOCAL", 0, 3)], [("PESSOA", 0, 3, 0.875)], ("LOCAL", "PESSOA", 0.875)),
        ([("PESSOA", 0, 2)], [("PESSOA", 0, 3, 0.875)], ("PESSOA", "PESSOA", 0.875)),
        ([], [("PESSOA", 0, 3, 0.875)], ("", "PESSOA", 0.875)),
        ([("LOCAL", 2, 5)], [("PESSOA", 0, 3, 0.875)], ("LOCAL", "PESSOA", 0.4375)),
    ],
    ids=["wrong type", "wrong border", "missing", "type and border"],
)
def test_an_entity_is_doubted_where_another_is_answered_surely(
    given: list[Entity], answered: list[ScoredEntity], doubt: tuple[str, str, float]
) -> None:
    errors = linear_suspects(find_suspects([sentences_of(given, answered)]), names=["LOCAL", "PESSOA"], judged=21)
    assert errors is not None
    found = [(suspect["given"], suspect["suggested"], suspect["doubt"]) for suspect in errors["suspects"]]
    assert found == [doubt]


def test_an_entity_is_doubted_where_nothing_is_answered_though_its_type_is_usually_found() -> None:
    suspects = find_suspects([sentences_of([("PESSOA", 4, 6)], [])])
    assert suspects[0].rows.tolist() == [22]
    assert suspects[0].answers.predicted[0][0][:3] == ("", 4, 6)
    assert suspects[0].answers.predicted[0][0][3] == pytest.approx(0.5 * 20 / 21, abs=0.001)


def test_a_less_sure_answer_doubts_no_entity() -> None:
    assert find_suspects([sentences_of([("LOCAL", 0, 3)], [("PESSOA", 0, 3, 0.75)])]) == []
