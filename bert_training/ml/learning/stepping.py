"""One optimizer step over some rows: micro-batches, exact accumulation, clipping."""

import math
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from accelerate import Accelerator

from bert_training.ml.job import TrainingSettings
from bert_training.ml.learning.gradients import GradientSum
from bert_training.ml.machine.distributed import ALONE
from bert_training.ml.machine.memory import explained_memory_errors
from bert_training.ml.network.sharding import whole_tensor
from bert_training.ml.rows.batching import to_device
from bert_training.ml.rows.feeding import ReadyStep, StepMaker
from bert_training.ml.task_network import Batch, Example, TaskNetwork


@dataclass(frozen=True)
class StepFigures:
    """What a step was. loss: mean over label weight `weight`.  tokens: real ones, special tokens among them.

    gradient_norm: before it was clipped; None where fp16's scaler judges the gradients.
    overflow_scale: where fp16 gradients became infinite and the step was left out, the scale of the next loss.
    """

    loss: float
    weight: float
    tokens: int
    gradient_norm: float | None = None
    overflow_scale: float | None = None

    @property
    def is_finite(self) -> bool:
        """Tell whether something can be learned: of fp16 gradients too infinite is what is so without a scale."""
        has_gradients = self.gradient_norm is None or math.isfinite(self.gradient_norm)
        return math.isfinite(self.loss) and has_gradients and (self.overflow_scale is None or self.overflow_scale >= 1)


class Stepper:
    """Takes steps. maker: has the size of a micro-batch, and the processes that share a step.

    is_sharded: each process has a part of the weights. Then one that runs out of memory ends the run, because it cannot
    finish a round in which the others wait for its part of the next layer.
    """

    def __init__(
        self,
        network: TaskNetwork[Example],
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: torch.optim.lr_scheduler.LRScheduler,
        *,
        accelerator: Accelerator,
        maker: StepMaker,
        class_weights: torch.Tensor | None,
        settings: TrainingSettings,
        is_sharded: bool = False,
    ) -> None:
        self.network = network
        self.model = model
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.accelerator = accelerator
        self.maker = maker
        self.layout = maker.layout
        self.class_weights = class_weights
        self.micro_batch = maker.micro_batch
        self.settings = settings
        self.world = maker.world
        self.is_sharded = is_sharded
        self.gradients = GradientSum(model, ALONE if is_sharded else maker.world)

    @property
    def learning_rate(self) -> float:
        """Return the learning rate of the next step."""
        return float(self.scheduler.get_last_lr()[0])

    def take(self, step: ReadyStep) -> StepFigures:
        """Take one optimizer step. A loss or gradient that is not finite leaves the weights as they were.

        Each batch adds its loss sum divided by the label weight of the whole step, so accumulated batches give exactly
        the gradient of one large batch. Several processes share the rows: their gradients and losses are summed.
        """
        figures = self.micro_batch.retry(lambda: self.add_gradients(step), world=self.world)
        if figures.is_finite:
            figures = replace(figures, gradient_norm=self._clip())
        if figures.is_finite:
            figures = replace(figures, overflow_scale=self._learn())
        self.optimizer.zero_grad()
        return figures

    def add_gradients(self, step: ReadyStep) -> StepFigures:
        """Compute the gradients of a step from its beginning; those of a try that ended midway are dropped."""
        self.optimizer.zero_grad()
        batches = [to_device(batch, self.accelerator.device) for batch in self._batches(step)]
        weight, loss = (torch.zeros((), device=self.accelerator.device) for _sum in range(2))
        for batch in batches:
            weight += self.network.label_weight(batch, self.class_weights)
        self.world.sum(weight)
        is_whole = False
        try:
            with explained_memory_errors(self.settings) if self.is_sharded else nullcontext():
                self._add_all(batches, weight, loss)
            is_whole = True
        finally:  # also when memory ran out: the others wait for this, and then all try again
            if is_whole or not self.is_sharded:
                self.gradients.finish()
                self.world.sum(loss)
        return StepFigures(loss.item(), weight.item(), step.tokens)

    def _batches(self, step: ReadyStep) -> list[Batch]:
        """Return this process's batches; of a sharded network as many as any process has."""
        batches = self.maker.fitting(step).batches
        if not self.is_sharded:
            return batches
        return batches + [self.maker.nothing(step)] * (self.world.most(len(batches)) - len(batches))

    def _add_all(self, batches: list[Batch], weight: torch.Tensor, loss: torch.Tensor) -> None:
        """Add the gradients of batches, and to `loss` their losses; both divided by `weight`."""
        for number, batch in enumerate(batches, start=1):
            if number == len(batches):
                self.gradients.expect()
            part = self.network.loss(self.layout.forward(self.model, batch), batch, self.class_weights)
            part = part / weight.clamp(min=torch.finfo(weight.dtype).tiny)
            self.accelerator.backward(part)
            loss += part.detach()

    def _clip(self) -> float | None:
        """Clip the gradients and return the norm that they had; None where fp16's scaler skips infinite ones."""
        if self.settings.max_grad_norm:
            norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        else:
            norm = torch.nn.utils.get_total_norm([p.grad for p in self.model.parameters() if p.grad is not None])
        return None if self.accelerator.scaler else float(whole_tensor(norm))

    def _learn(self) -> float | None:
        """Change the weights by the gradients. Returns the lowered loss scale where fp16 gradients overflowed.

        Then weights and learning rate stay. A fallen scale tells it: accelerate's own flag is wrong with a fused
        optimizer, which is called all the same and leaves the step out itself.
        """
        scaler = self.accelerator.scaler
        scale = scaler.get_scale() if scaler else 0.0
        self.optimizer.step()
        if scaler and scaler.get_scale() < scale:
            return float(scaler.get_scale())
        self.scheduler.step()
        return None
