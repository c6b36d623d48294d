"""The first loss or gradient that is not finite ends the run, with the weights of the step before and a reason."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from bert_training.ml.errors import NonFiniteLoss
from bert_training.ml.learning.divergence import DivergenceGuard
from bert_training.ml.learning.stepping import StepFigures
from bert_training.ml.task_network import Batch
from bert_training.ml.training import BaseModelFiles, train
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.runs import Recorder, module_with, text_job, toy_settings

NAN = StepFigures(math.nan, weight=8.0, tokens=99)
GOOD_RATE = 5e-5


def judge(
    figures: StepFigures = NAN,
    *,
    losses: list[float] | None = None,
    norms: list[float] | None = None,
    precision: str = "fp32",
    empty_rows: int = 0,
    weight: float = 1.0,
    **settings: Any,
) -> str:
    """Return what is said of a step after these ones that went well."""
    model = torch.nn.Linear(1, 1)
    model.weight.data.fill_(weight)
    settings = {"learning_rate": GOOD_RATE, "warmup_steps": 10, **settings}
    guard = DivergenceGuard(toy_settings(**settings), model, precision=precision)
    losses = losses or [1.0] * 20
    for step, (loss, norm) in enumerate(zip(losses, norms or [1.0] * len(losses), strict=True), start=1):
        check(guard, StepFigures(loss, 8.0, 99, gradient_norm=norm), step, empty_rows=0)
    with pytest.raises(NonFiniteLoss) as caught:
        check(guard, figures, len(losses) + 1, empty_rows=empty_rows)
    return str(caught.value)


def check(guard: DivergenceGuard, figures: StepFigures, step: int, *, empty_rows: int) -> None:
    guard.check(figures, epoch=1, step=step, learning_rate=GOOD_RATE, empty_rows=lambda: empty_rows)


@pytest.mark.parametrize(
    ("case", "reason", "advice"),
    [
        ({"figures": StepFigures(math.nan, math.inf, 9)}, "weights of the labels add up to inf", "use_class_weights"),
        ({"weight": math.nan}, "weights of the network are no numbers (weight)", "Copy the base model again"),
        ({"precision": "fp16"}, "fp16 knows no number above 65,504", "Set precision to bf16 or fp32"),
        ({"norms": [1.0] * 19 + [900.0]}, "norm, usually 1, was 900", "Lower learning_rate, now 5e-05"),
        ({"norms": [1.0] * 19 + [900.0], "max_grad_norm": 0.0}, "gradients exploded", "Set max_grad_norm to 1. Lower"),
        ({"losses": [1.0, 0.5, 0.6, 0.7, 2.0, 2.5]}, "rising, from 0.5 at step 2 to 2", "Lower learning_rate"),
        ({"learning_rate": 3e-3}, "a learning rate of 0.003 is high", "Lower learning_rate, now 0.003"),
        ({"losses": [1.0], "warmup_steps": 0}, "without warm-up", "Set warmup_ratio to 0.1"),
        ({"empty_rows": 2}, "2 rows of this step hold no text", "Remove rows without text"),
        ({}, "nothing in the steps before", "set precision to fp32"),
    ],
)
def test_the_likely_reason_follows_from_the_evidence(case: dict[str, Any], reason: str, advice: str) -> None:
    message = judge(**case)
    assert message.startswith("The loss became nan at step")
    assert reason in message
    assert advice in message


def test_the_losses_and_norms_before_are_shown() -> None:
    message = judge(losses=[0.9, 0.8, 0.7], norms=[1.5, 2.5, 3.5])
    assert "Losses before, with gradient norms: 0.9 (1.5), 0.8 (2.5), 0.7 (3.5)." in message


class Exploding(torch.autograd.Function):
    """Nothing forward; infinite gradients backward."""

    @staticmethod
    def forward(_context: Any, value: torch.Tensor) -> torch.Tensor:
        return value.clone()

    @staticmethod
    def backward(_context: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * math.inf


class ExplodesAtStepThree(TextClassificationNetwork):
    """The real network, but the gradients of the third step are infinite; the first two losses are the rehearsal's."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        NETWORKS.append(self)
        self.seen_heads: list[torch.Tensor] = []  # as each loss found it

    def loss(self, logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        loss = super().loss(logits, batch, class_weights)
        if not loss.requires_grad:
            return loss
        self.seen_heads.append(self.head().clone())
        exploded: torch.Tensor = Exploding.apply(loss)  # type: ignore[no-untyped-call]
        return exploded if len(self.seen_heads) == 5 else loss

    def head(self) -> torch.Tensor:
        """Return the weights of the head as they are."""
        return self.model.get_parameter("classifier.weight").detach()


NETWORKS: list[ExplodesAtStepThree] = []


@pytest.mark.parametrize("max_grad_norm", [1.0, 0.0])
def test_infinite_gradients_of_a_finite_loss_end_the_run_and_leave_the_weights(
    tiny_bert: BaseModelFiles, tmp_path: Path, max_grad_norm: float
) -> None:
    job = text_job(tiny_bert, tmp_path / "job", max_grad_norm=max_grad_norm)
    with pytest.raises(NonFiniteLoss, match=r"gradients became (inf|nan) although the loss was \d.* at step 3"):
        train(job, module_with(ExplodesAtStepThree), Recorder())

    network = NETWORKS.pop()
    _long, _usual, first, _second, third = network.seen_heads
    assert not torch.equal(first, third)
    assert torch.equal(network.head(), third)
