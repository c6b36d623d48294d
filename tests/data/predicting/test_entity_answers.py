"""How tags become entities with a score, and what is counted beside them."""

import numpy as np
import pytest

from bert_training.data.predicting.entity_answers import entity_answers

GOLD = ["O", "B-LOCAL", "I-LOCAL", "O", "B-PESSOA"]


def test_an_entity_has_the_mean_of_the_probabilities_of_its_words() -> None:
    answers = entity_answers([GOLD], [GOLD], [np.array([0.9, 0.5, 0.75, 1.0, 0.3])], unseen=[0])
    assert answers.gold == [[("LOCAL", 1, 3), ("PESSOA", 4, 5)]]
    assert answers.predicted == [[("LOCAL", 1, 3, 0.625), ("PESSOA", 4, 5, float(np.float16(0.3)))]]


@pytest.mark.parametrize(
    ("predicted", "right", "invalid"),
    [
        (["O", "O", "I-LOCAL", "O", "O"], 3, 1),
        (["O", "B-LOCAL", "I-PESSOA", "I-PESSOA", "B-PESSOA"], 3, 2),
        (["I-LOCAL", "B-LOCAL", "I-LOCAL", "I-LOCAL", "B-PESSOA"], 3, 1),
        (GOLD, 5, 0),
    ],
)
def test_right_words_and_tags_that_continue_nothing_are_counted(predicted: list[str], right: int, invalid: int) -> None:
    answers = entity_answers([GOLD, []], [predicted, []], [np.ones(5), np.ones(0)], unseen=[2, 0])
    assert (answers.right.tolist(), answers.invalid.tolist()) == ([right, 0], [invalid, 0])
    assert (answers.words.tolist(), answers.unseen.tolist()) == ([5, 0], [2, 0])
