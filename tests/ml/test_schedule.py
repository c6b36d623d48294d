"""Steps are optimizer steps, and the learning rate follows transformers' linear schedule over them."""

import pytest
import torch
from transformers import get_linear_schedule_with_warmup

from bert_training.ml.schedule import StepPlan, build_optimizer, build_scheduler, plan_steps
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from tests.ml.runs import toy_settings


@pytest.mark.parametrize(
    ("settings", "plan"),
    [
        (toy_settings(epochs=3, batch_size=8), StepPlan(rows_per_step=8, steps_per_epoch=13, epochs=3, total_steps=39)),
        (
            toy_settings(epochs=3, batch_size=8, gradient_accumulation_steps=4),
            StepPlan(rows_per_step=32, steps_per_epoch=4, epochs=3, total_steps=12),
        ),
        (
            toy_settings(epochs=3, batch_size=8, max_steps=20),
            StepPlan(rows_per_step=8, steps_per_epoch=13, epochs=2, total_steps=20),
        ),
        (
            toy_settings(epochs=1, batch_size=8, max_steps=999),
            StepPlan(rows_per_step=8, steps_per_epoch=13, epochs=1, total_steps=13),
        ),
    ],
)
def test_a_plan_counts_optimizer_steps_of_100_rows(settings: Hyperparameters, plan: StepPlan) -> None:
    assert plan_steps(100, settings) == plan


@pytest.mark.parametrize("warmup_steps", [0, 3])
def test_the_learning_rate_equals_that_of_transformers(warmup_steps: int) -> None:
    ours, theirs = (build_optimizer(torch.nn.Linear(2, 2), toy_settings(learning_rate=1e-3)) for _ in range(2))
    scheduler = build_scheduler(ours, warmup_steps=warmup_steps, total_steps=10)
    reference = get_linear_schedule_with_warmup(theirs, warmup_steps, 10)  # type: ignore[no-untyped-call]
    for _ in range(10):
        assert scheduler.get_last_lr() == pytest.approx(reference.get_last_lr())
        for optimizer, schedule in ((ours, scheduler), (theirs, reference)):
            optimizer.step()
            schedule.step()


def test_biases_do_not_decay() -> None:
    decay, no_decay = build_optimizer(torch.nn.Linear(2, 2), toy_settings(weight_decay=0.1)).param_groups
    assert ([p.dim() for p in decay["params"]], decay["weight_decay"]) == ([2], 0.1)
    assert ([p.dim() for p in no_decay["params"]], no_decay["weight_decay"]) == ([1], 0.0)
