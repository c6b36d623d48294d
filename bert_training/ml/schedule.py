"""Counts optimizer steps, and says how fast the network learns at each of them."""

import math
from dataclasses import dataclass

import torch

from bert_training.ml.job import TrainingSettings


@dataclass(frozen=True)
class StepPlan:
    """How many optimizer steps a run has; a step sees rows_per_step rows (the effective batch)."""

    rows_per_step: int
    steps_per_epoch: int
    epochs: int
    total_steps: int


def plan_steps(row_count: int, settings: TrainingSettings) -> StepPlan:
    """Count steps from rows, batch size and accumulation; the last step of an epoch may see fewer rows."""
    rows_per_step = settings.batch_size * settings.gradient_accumulation_steps
    steps_per_epoch = math.ceil(row_count / rows_per_step)
    total_steps = min(settings.epochs * steps_per_epoch, settings.max_steps or math.inf)
    epochs = math.ceil(total_steps / steps_per_epoch)
    return StepPlan(rows_per_step, steps_per_epoch, epochs, int(total_steps))


def learning_rate_factor(step: int, *, warmup_steps: int, total_steps: int) -> float:
    """Return the share of the learning rate after `step` steps: linear up from 0, then linear down to 0.

    As transformers' get_linear_schedule_with_warmup, so that recipes from elsewhere mean the same here.
    """
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))


def build_optimizer(model: torch.nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Make AdamW; matrices decay, biases and normalisation do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)


def build_scheduler(
    optimizer: torch.optim.Optimizer, *, warmup_steps: int, total_steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Make the schedule; step it once after each optimizer step."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, warmup_steps=warmup_steps, total_steps=total_steps)
    )
