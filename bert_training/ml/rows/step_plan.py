"""Counts the optimizer steps of a run, and says which rows each of them sees."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bert_training.ml.job import TrainingSettings
from bert_training.ml.rows.batching import cut_at, cut_into, epoch_order, fill_ends


@dataclass(frozen=True)
class StepPlan:
    """How many optimizer steps a run has; a step sees rows_per_step rows (the effective batch).

    With a token budget rows_per_step is a mean, and epochs differ from steps_per_epoch by a few steps.
    """

    rows_per_step: int
    steps_per_epoch: int
    epochs: int
    total_steps: int


class StepRows:
    """Deals the shuffled rows of an epoch out to its steps: the same ones for a seed, on every machine.

    tokens: of each row as the network sees it, for a token budget: (N,); without one steps are so many rows.
    """

    def __init__(self, row_count: int, settings: TrainingSettings, *, tokens: NDArray[np.int64] | None = None) -> None:
        self.row_count = row_count
        self.settings = settings
        self.tokens = tokens

    def of_epoch(self, epoch: int) -> list[Sequence[int]]:
        """Return the rows of each step; the last may see fewer."""
        order = epoch_order(self.row_count, seed=self.settings.seed, epoch=epoch)
        if self.settings.batch_tokens is None or self.tokens is None:
            return list(cut_into(order, self.settings.batch_size * self.settings.gradient_accumulation_steps))
        ends = fill_ends(self.tokens[order], self.settings.batch_tokens)
        every = self.settings.gradient_accumulation_steps
        return cut_at(order, [*ends[every - 1 : -1 : every], *ends[-1:]])


def plan_steps(rows: StepRows, settings: TrainingSettings) -> StepPlan:
    """Count the steps of all epochs, as far as max_steps lets them come; the last of an epoch may see fewer rows."""
    if settings.batch_tokens is None:
        rows_per_step = settings.batch_size * settings.gradient_accumulation_steps
        steps_per_epoch = math.ceil(rows.row_count / rows_per_step)
        total_steps = int(min(settings.epochs * steps_per_epoch, settings.max_steps or math.inf))
        return StepPlan(rows_per_step, steps_per_epoch, math.ceil(total_steps / steps_per_epoch), total_steps)
    steps: list[int] = []
    while len(steps) < settings.epochs and sum(steps) < (settings.max_steps or math.inf):
        steps.append(len(rows.of_epoch(len(steps) + 1)))
    total_steps = int(min(sum(steps), settings.max_steps or math.inf))
    return StepPlan(round(rows.row_count / steps[0]), steps[0], len(steps), total_steps)


def describe_batch(plan: StepPlan, settings: TrainingSettings) -> str:
    """Say what a step sees: "effective batch 32 (16 x 2)"."""
    every = settings.gradient_accumulation_steps
    if settings.batch_tokens is None:
        return f"effective batch {plan.rows_per_step} ({settings.batch_size} x {every})"
    tokens = f"{settings.batch_tokens * every:,} tokens ({settings.batch_tokens:,} x {every})"
    return f"effective batch {tokens}, about {plan.rows_per_step:,} rows"
