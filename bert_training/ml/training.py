"""The one training loop, for every task that has a TaskNetwork. Device, precision and gradients go through accelerate.

Knows no task by name, no HTTP and no Django: it speaks to a Reporter and leaves a model folder.
"""

import math
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import torch

from bert_training.ml.base_model import BaseModelFiles
from bert_training.ml.batching import cut_into, epoch_order, forward, to_device
from bert_training.ml.checkpoints import keep_only, load_weights, write_checkpoint
from bert_training.ml.early_stopping import EarlyStopping
from bert_training.ml.errors import NonFiniteLoss
from bert_training.ml.evaluation import evaluate_split
from bert_training.ml.final_model import RunFacts, keep_final_model
from bert_training.ml.job import Reporter, TrainingJob, TrainingResult, TrainingSettings
from bert_training.ml.memory import explained_memory_errors
from bert_training.ml.preparation import Prepared, prepare
from bert_training.ml.reporting import RunReport, StepMeter, StopRequested
from bert_training.ml.schedule import build_optimizer, build_scheduler
from bert_training.ml.task_network import Evaluation, Example, TaskNetwork

__all__ = [
    "BaseModelFiles",
    "Reporter",
    "TaskNetwork",
    "TrainingJob",
    "TrainingResult",
    "TrainingSettings",
    "train",
]

CLIPPING_NORM = 1.0


def train(
    job: TrainingJob, network_module: ModuleType, reporter: Reporter, *, clock: Callable[[], float] = time.monotonic
) -> TrainingResult:
    """Train, judge and keep one network; blocks for as long as that takes.

    Leaves job_dir/final/ when completed and job_dir/checkpoints/ when released. Raises a TrainingError subclass.
    """
    report = RunReport(reporter, clock)
    with explained_memory_errors(job.settings):
        try:
            session = TrainingSession(job, prepare(job, network_module, report), report)
            session.fit()
            return session.finish()
        except StopRequested as stop:
            report.info(f"Stopped at step {report.step:,}: {stop.ended}")
            return TrainingResult(stop.ended, {}, [], model_fingerprint="", best_step=report.checkpoint_step)


class TrainingSession:
    """The state of one run between its first and its last step."""

    def __init__(self, job: TrainingJob, prepared: Prepared, report: RunReport) -> None:
        self.job = job
        self.settings = job.settings
        self.prepared = prepared
        self.network = prepared.network
        self.accelerator = prepared.accelerator
        self.plan = prepared.plan
        self.report = report
        optimizer = build_optimizer(self.network.model, self.settings)
        self.model, self.optimizer = self.accelerator.prepare(self.network.model, optimizer)
        self.scheduler = build_scheduler(
            optimizer, warmup_steps=self.settings.warmup_steps, total_steps=self.plan.total_steps
        )
        self.stopping = EarlyStopping(self.settings.early_stopping_patience, higher_is_better=job.best_metric_is_higher)
        self.checkpoints = job.job_dir / "checkpoints"
        self.best_validation: dict[str, float | None] = {}

    def fit(self) -> None:
        """Run the epochs; keeps the best checkpoint, and when released the last one too."""
        self.report.total_steps = self.plan.total_steps
        try:
            for epoch in range(1, self.plan.epochs + 1):
                self.report.epoch = epoch
                self._train_epoch()
                self._validate_epoch()
                if self._is_over():
                    break
        except StopRequested as stop:
            if stop.ended == "released" and self.report.step > self.report.checkpoint_step:
                self._save_checkpoint({})
            raise

    def finish(self) -> TrainingResult:
        """Judge the best checkpoint on the test split and keep it as job_dir/final/."""
        best_step, best_epoch = self.report.checkpoint_step, self.stopping.best_epoch
        self.report.info(f"Best epoch: {best_epoch} (step {best_step:,}); its weights are judged on the test split")
        load_weights(self.network.model, self.checkpoints / f"step-{best_step}")
        test = self._evaluate("test")
        self.report.split_figures("test", test.metrics, epoch=best_epoch, step=best_step)
        self.report.info(f"Test: {shown_figures(test.metrics)}")
        self.report.enter("saving")
        facts = RunFacts(
            job=self.job,
            machine=self.prepared.machine,
            rows={name: len(examples) for name, examples in self.prepared.splits.items()},
            best_epoch=best_epoch,
            best_step=best_step,
            validation=self.best_validation,
            test=test,
            seconds=dict(self.report.seconds),
        )
        fingerprint = keep_final_model(self.job.job_dir / "final", self.network, facts)
        shutil.rmtree(self.checkpoints)  # final/ holds the same weights
        self.report.info(f"Saved to {self.job.job_dir / 'final'}, fingerprint {fingerprint}")
        self.report.info(f"Time: {self.report.durations()}")
        return TrainingResult("completed", test.metrics, test.classes, fingerprint, best_step)

    def _is_over(self) -> bool:
        if self.stopping.is_exhausted:
            self.report.info(
                f"Early stop: no better {self.job.best_metric} on validation "
                f"for {self.stopping.waited_epochs} epochs, since epoch {self.stopping.best_epoch}"
            )
        return self.stopping.is_exhausted or self._has_no_more_steps()

    def _has_no_more_steps(self) -> bool:
        return self.report.is_finishing or self.report.step >= self.plan.total_steps

    def _train_epoch(self) -> None:
        """Run the steps of one epoch, fewer when the cap is reached or the run is asked to finish."""
        self.report.enter("training")
        train = self.prepared.splits["train"]
        order = epoch_order(len(train), seed=self.settings.seed, epoch=self.report.epoch)
        meter = StepMeter(self.report, self.plan)
        self.model.train()
        for rows in cut_into(order, self.plan.rows_per_step):
            examples = [train[row] for row in rows]
            learning_rate = float(self.scheduler.get_last_lr()[0])
            loss, weight = self._take_step(examples)
            self.report.step += 1
            tokens = sum(len(example.input_ids) for example in examples)
            meter.add(loss, weight=weight, tokens=tokens, learning_rate=learning_rate)
            self._require_finite(loss, learning_rate)
            self.report.pulse()
            if self._has_no_more_steps():
                break
        self.report.info(
            f"Epoch {self.report.epoch} of {self.plan.epochs}: training loss {meter.mean_loss:.4f}, "
            f"{meter.steps:,} steps in {meter.elapsed_seconds:.1f} s"
        )

    def _take_step(self, examples: Sequence[Example]) -> tuple[float, float]:
        """Take one optimizer step over all these rows, batch by batch. Returns (mean loss, label weight).

        Each batch adds its loss sum divided by the label weight of the whole step, so accumulated batches give exactly
        the gradient of one large batch. A loss that is not finite leaves the weights as they were.
        """
        batches = [self.network.collate(chunk) for chunk in cut_into(examples, self.settings.batch_size)]
        batches = [to_device(batch, self.accelerator.device) for batch in batches]
        class_weights = self.prepared.class_weights
        weight = torch.stack([self.network.label_weight(batch.labels, class_weights) for batch in batches]).sum()
        loss = torch.zeros((), device=self.accelerator.device)
        for number, batch in enumerate(batches, start=1):
            is_last = number == len(batches)
            with nullcontext() if is_last else self.accelerator.no_sync(self.model):
                part = self.network.loss(forward(self.model, batch), batch.labels, class_weights)
                part = part / weight.clamp(min=torch.finfo(weight.dtype).tiny)
                self.accelerator.backward(part)
            loss += part.detach()
        loss_value = loss.item()
        if math.isfinite(loss_value):
            self.accelerator.clip_grad_norm_(self.model.parameters(), CLIPPING_NORM)
            self.optimizer.step()
            self.scheduler.step()
        self.optimizer.zero_grad()
        return loss_value, weight.item()

    def _require_finite(self, loss: float, learning_rate: float) -> None:
        if not math.isfinite(loss):
            raise NonFiniteLoss(
                f"The loss became {loss} at step {self.report.step} (epoch {self.report.epoch}, learning rate "
                f"{learning_rate:.2e}, precision {self.prepared.machine['precision']}). Lower learning_rate, now "
                f"{self.settings.learning_rate:g}, or raise warmup_steps, now {self.settings.warmup_steps}."
            )

    def _validate_epoch(self) -> None:
        """Judge the validation split and keep the weights when they are the best so far."""
        epoch, step = self.report.epoch, self.report.step
        began = self.report.clock()
        evaluation = self._evaluate("validation")
        self.report.split_figures("validation", evaluation.metrics, epoch=epoch, step=step)
        seconds = self.report.clock() - began
        self.report.info(f"Epoch {epoch}: validation {shown_figures(evaluation.metrics)} ({seconds:.1f} s)")
        if self.stopping.observe(epoch, evaluation.metrics[self.job.best_metric]):
            self.best_validation = evaluation.metrics
            keep_only(self.checkpoints, self._save_checkpoint(evaluation.metrics))

    def _evaluate(self, split: str) -> Evaluation:
        self.report.enter("evaluating")
        return evaluate_split(
            self.network,
            self.model,
            self.prepared.splits[split],
            batch_size=self.settings.batch_size,
            device=self.accelerator.device,
            class_weights=self.prepared.class_weights,
            on_batch=self.report.pulse,
        )

    def _save_checkpoint(self, metrics: dict[str, float | None]) -> Path:
        state = {"epoch": self.report.epoch, "metrics": metrics}
        folder = write_checkpoint(self.checkpoints, self.network.model, step=self.report.step, state=state)
        self.report.checkpoint_step = self.report.step
        self.report.info(f"Checkpoint of step {self.report.step:,} saved")
        return folder


def shown_figures(figures: dict[str, float | None]) -> str:
    """Write figures for a line; one that is not defined shows as "no examples"."""
    return ", ".join(
        f"{name} {'no examples' if value is None else format(value, '.4f')}" for name, value in figures.items()
    )
