"""The shares of the three splits: usual names, what is left out, what must hold between them."""

from typing import Any

import pytest
from pydantic import ValidationError

from bert_training.data.splitting.split import Shares
from bert_training.tasks.hyperparameters.problems import field_problems
from bert_training.tasks.hyperparameters.settings import Hyperparameters


def shares_of(**given: Any) -> Shares:
    return Hyperparameters.model_validate(given).shares


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (0.7, 0.15, 0.15)),
        ({"train_split": 0.8}, (0.8, 0.1, 0.1)),
        ({"validation_split": 0.1}, (0.7, 0.1, 0.2)),
        ({"test_split": 0.05}, (0.7, 0.25, 0.05)),
        ({"validation_split": 0.1, "test_split": 0.1}, (0.8, 0.1, 0.1)),
        ({"treino": 0.6, "validação": 0.3, "teste": 0.1}, (0.6, 0.3, 0.1)),
        ({"train": 0.6, "validacao": 0.3}, (0.6, 0.3, 0.1)),
        ({"train": 0.6, "validation": 0.2, "test": 0.2}, (0.6, 0.2, 0.2)),
        ({"train_split": 0.7, "validation_split": 0.15, "test_split": 0.1500005}, (0.7, 0.15, 0.1500005)),
    ],
)
def test_shares_are_read_by_their_usual_names(given: dict[str, float], expected: tuple[float, ...]) -> None:
    shares = shares_of(**given)
    assert (shares.train, shares.validation, shares.test) == pytest.approx(expected, abs=1e-9)


def test_shares_are_stored_under_one_name() -> None:
    stored = Hyperparameters.model_validate({"treino": 0.6, "teste": 0.1}).model_dump()
    assert (stored["train_split"], stored["validation_split"], stored["test_split"]) == (0.6, None, 0.1)
    assert not {"treino", "teste"} & set(stored)


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [
        ({"train_split": 0.7, "validation_split": 0.2, "test_split": 0.2}, "test_split", "1.1"),
        ({"train_split": 0.7, "validation_split": 0.15, "test_split": 0.1500021}, "test_split", "add up to 1"),
        ({"validation_split": 0.3}, "validation_split", "below 0.3"),
        ({"train_split": 0.9, "test_split": 0.5}, "test_split", "below 0.1"),
        ({"treino": 0.7, "train": 0.7}, "train_split", "twice"),
        ({"train_split": 0.7, "treino": 0.7}, "train_split", "as treino"),
        ({"test_split": 0.0}, "test_split", "between 0 and 1"),
        ({"teste": 1}, "test_split", "between 0 and 1"),
        ({"validacao": "0.1"}, "validation_split", "between 0 and 1"),
    ],
)
def test_shares_that_do_not_go_together_are_refused_by_name(given: dict[str, Any], name: str, words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Hyperparameters.model_validate(given)
    (problem,) = field_problems(refusal.value, Hyperparameters)
    assert problem.name == name
    assert words in problem.message % problem.values
