"""Workers that are older than a hyperparameter go on training every run that does not use it."""

from typing import Any

import pytest

from bert_training.contract.later_hyperparameters import LATER_HYPERPARAMETERS, without_later_defaults
from bert_training.tasks import TASKS
from bert_training.tasks.spec import TaskSpec

FIRST = frozenset(
    {
        *("epochs", "batch_size", "learning_rate", "max_length", "train_split", "warmup_steps", "weight_decay"),
        *("gradient_accumulation_steps", "early_stopping_patience", "use_class_weights", "truncation_side", "seed"),
        *("max_steps",),
    }
)


@pytest.mark.parametrize("spec", TASKS.values(), ids=TASKS)
def test_a_run_of_defaults_asks_only_for_what_the_first_workers_know(spec: TaskSpec) -> None:
    """A new hyperparameter needs an entry with what a worker does that does not know it."""
    defaults = spec.hyperparameters().model_dump()
    assert without_later_defaults(defaults).keys() == FIRST
    assert spec.hyperparameters.model_validate(without_later_defaults(defaults)).model_dump() == defaults


@pytest.mark.parametrize(
    ("name", "value"), [("eval_steps", 50), ("best_metric", "loss"), ("dropout", 0.2), ("lora_r", 8)]
)
def test_what_is_asked_for_is_sent(name: str, value: Any) -> None:
    assert without_later_defaults({"epochs": 3, name: value}) == {"epochs": 3, name: value}


def test_no_first_hyperparameter_is_ever_left_out() -> None:
    assert not FIRST & LATER_HYPERPARAMETERS.keys()
