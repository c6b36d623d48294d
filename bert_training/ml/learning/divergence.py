"""Stops a run at the first loss or gradient that is not finite, and says why that is likely: judged from evidence.

The weights are still those of the step before: what was not finite never reached them.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

from bert_training.ml.errors import NonFiniteLoss
from bert_training.ml.job import TrainingSettings
from bert_training.ml.learning.stepping import StepFigures

REMEMBERED_STEPS = 50
LEAST_STEPS = 5  # before these many, neither a rise nor a jump means anything
EXPLODED = 10.0  # times the usual gradient norm
RISEN = 1.5  # times the lowest of the losses before
HIGH_LEARNING_RATE = 2e-4  # BERT-type networks are trained with 1e-5 to 1e-4
LARGEST_FP16 = 65504
SHOWN_STEPS = 3


@dataclass(frozen=True)
class Seen:
    """A step that went well. gradient_norm: before it was clipped."""

    step: int
    loss: float
    gradient_norm: float | None


@dataclass(frozen=True)
class Case:
    """What is known when a step went wrong. empty_rows: of the step, those with no token of their own."""

    settings: TrainingSettings
    precision: str
    model: torch.nn.Module
    figures: StepFigures
    step: int
    empty_rows: int
    before: list[Seen]


Finding = tuple[str, str] | None  # the likely reason, and what to do


class DivergenceGuard:
    """Watches the steps of one run."""

    def __init__(self, settings: TrainingSettings, model: torch.nn.Module, *, precision: str) -> None:
        self.settings = settings
        self.model = model
        self.precision = precision
        self.before: deque[Seen] = deque(maxlen=REMEMBERED_STEPS)

    def check(
        self, figures: StepFigures, *, epoch: int, step: int, learning_rate: float, empty_rows: Callable[[], int]
    ) -> None:
        """Take the figures of a step; raises NonFiniteLoss. empty_rows: counts them, asked only then."""
        if figures.is_finite:
            self.before.append(Seen(step, figures.loss, figures.gradient_norm))
            return
        case = Case(self.settings, self.precision, self.model, figures, step, empty_rows(), list(self.before))
        reason, advice = likely_reason(case)
        place = f"at step {step} (epoch {epoch}, learning rate {learning_rate:.2e}, precision {self.precision})"
        raise NonFiniteLoss(f"{_what(figures)} {place}. Likely reason: {reason}. {advice}{_history(case.before)}")


def likely_reason(case: Case) -> tuple[str, str]:
    """Return the first reason for which there is evidence, and the advice that belongs to it."""
    for judge in (_label_weights, _broken_weights, _fp16, _explosion, _rise, _learning_rate, _warmup, _empty_rows):
        finding = judge(case)
        if finding:
            return finding
    return "nothing in the steps before pointed to it", f"{_lower(case)}, or set precision to fp32."


def _label_weights(case: Case) -> Finding:
    if math.isfinite(case.figures.weight):
        return None
    return f"the weights of the labels add up to {case.figures.weight}", "Set use_class_weights to false."


def _broken_weights(case: Case) -> Finding:
    broken = (name for name, weight in case.model.named_parameters() if not torch.isfinite(weight).all())
    name = next(broken, None)
    if name is None:
        return None
    return f"weights of the network are no numbers ({name})", "Copy the base model again, or choose another."


def _fp16(case: Case) -> Finding:
    if case.precision != "fp16":
        return None
    return f"fp16 knows no number above {LARGEST_FP16:,}", "Set precision to bf16 or fp32."


def _explosion(case: Case) -> Finding:
    norms = [seen.gradient_norm for seen in case.before if seen.gradient_norm is not None]
    if len(norms) < LEAST_STEPS:
        return None
    usual = median(norms[:-1])
    if norms[-1] < EXPLODED * usual:
        return None
    clip = "" if case.settings.max_grad_norm else "Set max_grad_norm to 1. "
    return f"the gradients exploded: their norm, usually {usual:.3g}, was {norms[-1]:.3g}", f"{clip}{_lower(case)}."


def _rise(case: Case) -> Finding:
    if len(case.before) < LEAST_STEPS:
        return None
    lowest = min(case.before, key=lambda seen: seen.loss)
    latest = median(seen.loss for seen in case.before[-SHOWN_STEPS:])
    if latest < RISEN * lowest.loss:
        return None
    reason = f"the loss had been rising, from {lowest.loss:.4g} at step {lowest.step} to {latest:.4g}"
    return reason, f"{_lower(case)}."


def _learning_rate(case: Case) -> Finding:
    rate = case.settings.learning_rate
    if rate < HIGH_LEARNING_RATE:
        return None
    return f"a learning rate of {rate:g} is high, usual are 1e-05 to 1e-04", f"{_lower(case)}."


def _warmup(case: Case) -> Finding:
    if case.step > LEAST_STEPS or case.settings.warmup_steps or case.settings.warmup_ratio:
        return None
    return "without warm-up the first steps are taken at the full learning rate", "Set warmup_ratio to 0.1."


def _empty_rows(case: Case) -> Finding:
    if not case.empty_rows:
        return None
    return f"{case.empty_rows} rows of this step hold no text", "Remove rows without text from the spreadsheet."


def _lower(case: Case) -> str:
    return f"Lower learning_rate, now {case.settings.learning_rate:g}"


def _what(figures: StepFigures) -> str:
    if math.isfinite(figures.loss):
        return f"The gradients became {figures.gradient_norm} although the loss was {figures.loss:.4g}"
    return f"The loss became {figures.loss}"


def _history(before: list[Seen]) -> str:
    """Show the last steps that went well."""
    shown = ", ".join(
        f"{seen.loss:.4g}" + ("" if seen.gradient_norm is None else f" ({seen.gradient_norm:.3g})")
        for seen in before[-SHOWN_STEPS:]
    )
    return f" Losses before, with gradient norms: {shown}." if shown else ""
