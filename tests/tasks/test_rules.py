"""What must hold between hyperparameters: one clear sentence at the one setting to change."""

from typing import Any

import pytest
from pydantic import ValidationError

from bert_training.tasks.hyperparameters.declaration import Group
from bert_training.tasks.hyperparameters.groups import names_by_group, names_in_order
from bert_training.tasks.hyperparameters.problems import FieldProblem, field_problems
from bert_training.tasks.hyperparameters.refusal import SettingRefused
from bert_training.tasks.hyperparameters.rules import check_against_rows
from bert_training.tasks.hyperparameters.settings import Hyperparameters


def problem_of(**given: Any) -> FieldProblem:
    with pytest.raises(ValidationError) as refusal:
        Hyperparameters.model_validate(given)
    (problem,) = field_problems(refusal.value, Hyperparameters)
    return problem


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [
        ({"warmup_steps": 10, "warmup_ratio": 0.1}, "warmup_ratio", "given twice"),
        ({"batch_tokens": 256, "max_length": 512}, "batch_tokens", "at least 512"),
        ({"truncation_side": "none", "max_length": 64, "window_overlap": 33}, "window_overlap", "at most 32"),
        ({"truncation_side": "none", "max_length": 65, "window_overlap": 33}, "window_overlap", "at most 32"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_at_one_of_them(
    given: dict[str, Any], name: str, words: str
) -> None:
    problem = problem_of(**given)
    assert (problem.name, problem.is_of_limits) == (name, False)
    assert words in problem.message % problem.values


@pytest.mark.parametrize(
    "given",
    [
        {"warmup_ratio": 0.1},
        {"warmup_ratio": 0.0, "warmup_steps": 0},
        {"batch_tokens": 512, "max_length": 512},
        {"truncation_side": "none", "max_length": 64, "window_overlap": 32},
        {"truncation_side": "right", "max_length": 8, "window_overlap": 64},
    ],
)
def test_settings_that_go_together_are_taken(given: dict[str, Any]) -> None:
    assert Hyperparameters.model_validate(given)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"warmup_steps": 14}, "warmup_steps"),
        ({"eval_steps": 14}, "eval_steps"),
        ({"warmup_steps": 5, "max_steps": 4}, "warmup_steps"),
    ],
)
def test_what_would_never_happen_is_refused(given: dict[str, Any], name: str) -> None:
    settings = Hyperparameters.model_validate({"epochs": 1, "batch_size": 8, **given})
    with pytest.raises(SettingRefused) as refusal:
        check_against_rows(settings, 100)  # 13 steps
    assert refusal.value.name == name


@pytest.mark.parametrize("given", [{"warmup_steps": 13}, {"eval_steps": 13}, {"eval_steps": 99, "batch_tokens": 512}])
def test_what_may_happen_is_taken(given: dict[str, Any]) -> None:
    check_against_rows(Hyperparameters.model_validate({"epochs": 1, "batch_size": 8, **given}), 100)


def test_every_hyperparameter_stands_in_one_group_and_the_essentials_come_first() -> None:
    assert list(names_by_group(Hyperparameters)) == list(Group)
    assert sorted(names_in_order(Hyperparameters)) == sorted(Hyperparameters.model_fields)
    assert names_in_order(Hyperparameters)[:5] == [
        "epochs",
        "batch_size",
        "learning_rate",
        "max_length",
        "truncation_side",
    ]
