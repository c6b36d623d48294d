"""Steps are optimizer steps; each epoch deals every row out once, by count or up to a budget of tokens."""

from itertools import pairwise

import numpy as np
import pytest

from bert_training.ml.rows.batching import fill_ends
from bert_training.ml.rows.step_plan import StepPlan, StepRows, describe_batch, plan_steps
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from tests.ml.runs import toy_settings

LENGTHS = np.random.default_rng(0).integers(1, 80, size=200)


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
    assert plan_steps(StepRows(100, settings), settings) == plan


@pytest.mark.parametrize("accumulation", [1, 3])
def test_a_token_budget_fills_each_batch_as_far_as_it_goes(accumulation: int) -> None:
    settings = toy_settings(batch_tokens=128, gradient_accumulation_steps=accumulation)
    steps = StepRows(len(LENGTHS), settings, tokens=LENGTHS).of_epoch(1)
    order = [row for step in steps for row in step]
    assert sorted(order) == list(range(len(LENGTHS)))
    batches = [LENGTHS[part] for part in np.split(order, fill_ends(LENGTHS[order], 128)) if len(part)]
    assert all(batch.sum() <= 128 for batch in batches)
    assert all(one.sum() + other[0] > 128 for one, other in pairwise(batches))
    assert len(steps) == -(-len(batches) // accumulation)
    assert [int(LENGTHS[step].sum()) for step in steps] == [
        int(sum(batch.sum() for batch in batches[begin : begin + accumulation]))
        for begin in range(0, len(batches), accumulation)
    ]


def test_a_row_longer_than_the_budget_is_a_batch_of_its_own() -> None:
    assert fill_ends(np.array([5, 99, 5, 5, 99]), 10) == [1, 2, 4, 5]


def test_all_steps_of_a_token_budget_are_counted_beforehand() -> None:
    settings = toy_settings(epochs=3, batch_tokens=256)
    rows = StepRows(len(LENGTHS), settings, tokens=LENGTHS)
    counts = [len(rows.of_epoch(epoch)) for epoch in (1, 2, 3)]
    plan = plan_steps(rows, settings)
    assert (plan.epochs, plan.total_steps, plan.steps_per_epoch) == (3, sum(counts), counts[0])
    assert describe_batch(plan, settings) == f"effective batch 256 tokens (256 x 1), about {plan.rows_per_step} rows"
    capped = plan_steps(rows, toy_settings(epochs=3, batch_tokens=256, max_steps=counts[0] + 1))
    assert (capped.epochs, capped.total_steps) == (2, counts[0] + 1)
