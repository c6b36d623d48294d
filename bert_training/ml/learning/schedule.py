"""Says how fast the network learns at each step."""

import math
from collections.abc import Callable

import torch

from bert_training.ml.job import TrainingSettings

# What is left of the learning rate when this share of the steps after the warm-up is left. All but "constant" end at 0.
FALLS: dict[str, Callable[[float], float]] = {
    "linear": lambda left: left,
    "cosine": lambda left: (1 - math.cos(math.pi * left)) / 2,
    "constant": lambda left: 1.0,
    "polynomial": lambda left: left**2,
}


def count_warmup_steps(settings: TrainingSettings, total_steps: int) -> int:
    """Return the steps of the warm-up; warmup_ratio wins over warmup_steps when both are given."""
    if settings.warmup_ratio is None:
        return settings.warmup_steps
    return math.ceil(settings.warmup_ratio * total_steps)


def learning_rate_factor(kind: str, step: int, *, warmup_steps: int, total_steps: int) -> float:
    """Return the share of the learning rate after `step` steps: linear up from 0, then down as `kind` says.

    As transformers' schedules (polynomial: power 2, to 0), so that recipes from elsewhere mean the same here.
    """
    if step < warmup_steps:
        return step / warmup_steps
    return FALLS[kind](max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps)))


def build_scheduler(
    optimizer: torch.optim.Optimizer, settings: TrainingSettings, *, total_steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Make the schedule of all groups; step it once after each optimizer step."""
    kind, warmup_steps = settings.lr_scheduler_type, count_warmup_steps(settings, total_steps)
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(kind, step, warmup_steps=warmup_steps, total_steps=total_steps)
    )


def describe_schedule(settings: TrainingSettings, total_steps: int) -> str:
    """Say the course of the learning rate: "learning rate 5e-05, linear, warm-up 12 steps (0.1 of all)"."""
    ratio = "" if settings.warmup_ratio is None else f" ({settings.warmup_ratio:g} of all)"
    course = f"{settings.lr_scheduler_type}, warm-up {count_warmup_steps(settings, total_steps)} steps{ratio}"
    return f"learning rate {settings.learning_rate:g}, {course}"
