"""The one training loop, for every task that has a TaskNetwork. Device, precision and gradients go through accelerate.

Knows no task by name, no HTTP and no Django: it speaks to a Reporter and leaves a model folder.
"""

import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from bert_training.ml.base_model import BaseModelFiles
from bert_training.ml.batching import cut_into, epoch_order
from bert_training.ml.checkpoints import checkpoint_folder, keep_only, read_checkpoint, write_checkpoint
from bert_training.ml.divergence import DivergenceGuard
from bert_training.ml.early_stopping import EarlyStopping
from bert_training.ml.evaluation import Judge
from bert_training.ml.final_model import RunFacts, keep_final_model
from bert_training.ml.folders import is_disk_full
from bert_training.ml.job import Reporter, TrainingJob, TrainingResult, TrainingSettings
from bert_training.ml.long_text import JudgedTest, compare_ways
from bert_training.ml.memory import explained_memory_errors
from bert_training.ml.micro_batch import MicroBatch
from bert_training.ml.optimizer import build_optimizer
from bert_training.ml.preflight import check_disk
from bert_training.ml.preparation import Prepared, prepare
from bert_training.ml.rehearsal import longest_pieces, rehearse
from bert_training.ml.reporting import RunReport, StepMeter, StopRequested
from bert_training.ml.schedule import build_scheduler
from bert_training.ml.snapshot import Learner, load_weights
from bert_training.ml.stepping import Stepper
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


def train(
    job: TrainingJob, network_module: ModuleType, reporter: Reporter, *, clock: Callable[[], float] = time.monotonic
) -> TrainingResult:
    """Train, judge and keep one network; blocks for as long as that takes.

    Goes on from job.resume_step, with the same numbers as if it had never stopped. Leaves job_dir/checkpoints/, and
    job_dir/final/ when completed. Raises a TrainingError subclass.
    """
    report = RunReport(reporter, clock)
    report.checkpoint_step = job.resume_step
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
        # before prepare: both wrap the optimizer's step, and accelerate restores what it found
        scheduler = build_scheduler(optimizer, self.settings, total_steps=self.plan.total_steps)
        model, accelerated = self.accelerator.prepare(self.network.model, optimizer)
        self.model = model
        self.micro_batch = MicroBatch(self.settings, self.accelerator.device, on_halved=report.warning)
        self.stepper = Stepper(
            self.network,
            model,
            accelerated,
            scheduler,
            accelerator=self.accelerator,
            cutting=prepared.rows.cutting,
            layout=prepared.layout,
            class_weights=prepared.class_weights,
            micro_batch=self.micro_batch,
            settings=self.settings,
        )
        self.divergence = DivergenceGuard(self.settings, self.network.model, precision=prepared.machine["precision"])
        self.learner = Learner(
            self.network.model, optimizer, scheduler, self.accelerator.device, scaler=self.accelerator.scaler
        )
        self.meter = StepMeter(report, self.plan)
        self.stopping = EarlyStopping(self.settings.early_stopping_patience, higher_is_better=job.best_metric_is_higher)
        self.checkpoints = job.job_dir / "checkpoints"
        self.checkpoint_at = report.clock()
        self.is_judged = True  # whether the current epoch has been: there is nothing to judge before the first
        self.best_step = 0
        self.best_validation: dict[str, float | None] = {}

    def fit(self) -> None:
        """Run the epochs, or what is left of them; leaves the best checkpoint and the last one."""
        self.report.total_steps = self.plan.total_steps
        if self.job.resume_step:
            self._resume(self.job.resume_step)
        self._rehearse()
        try:
            while not self._is_over():
                if self.is_judged:
                    self._begin_epoch()
                self._train_epoch()
                self._validate_epoch()
        except StopRequested as stop:
            if stop.ended == "released" and self.report.step > self.report.checkpoint_step:
                self._save_checkpoint()
            raise

    def _rehearse(self) -> None:
        """Find out before the first step what would end the run in the middle."""
        check_disk(self.job, self.network.model, self.report)
        cutting, count = self.prepared.rows.cutting, self.micro_batch.size
        pieces = longest_pieces(self.job.table, self.network, cutting, count=count)
        rehearsal = rehearse(self.stepper, pieces, clock=self.report.clock)
        self.report.info(rehearsal.describe())
        self.report.pulse()

    def finish(self) -> TrainingResult:
        """Judge the best checkpoint on the test split and keep it as job_dir/final/."""
        best_step, best_epoch = self.best_step, self.stopping.best_epoch
        self.report.info(f"Best epoch: {best_epoch} (step {best_step:,}); its weights are judged on the test split")
        load_weights(self.network.model, checkpoint_folder(self.checkpoints, best_step))
        test = self._evaluate("test")
        self.report.split_figures("test", test.metrics, epoch=best_epoch, step=best_step)
        self.report.info(f"Test: {shown_figures(test.metrics)}")
        judged = JudgedTest(self._judge(), self.prepared.rows.splits["test"], test, self.job.best_metric)
        long_text = compare_ways(judged, self.report, seed=self.settings.seed)
        self.report.enter("saving")
        facts = RunFacts(
            job=self.job,
            machine=self.prepared.machine,
            rows={name: len(examples) for name, examples in self.prepared.rows.splits.items()},
            best_epoch=best_epoch,
            best_step=best_step,
            validation=self.best_validation,
            test=test,
            seconds=dict(self.report.seconds),
            reading=self.prepared.rows.cutting.facts(),
            long_text=long_text,
        )
        fingerprint = keep_final_model(self.job.job_dir / "final", self.network, facts)
        self.report.info(f"Saved to {self.job.job_dir / 'final'}, fingerprint {fingerprint}")
        self.report.info(f"Time: {self.report.durations()}")
        return TrainingResult("completed", test.metrics, test.classes, fingerprint, best_step, long_text)

    def _resume(self, step: int) -> None:
        """Take up the state after a step: network, optimizer, chance, and the place in the data."""
        checkpoint = read_checkpoint(self.checkpoints, step)
        state = checkpoint.state
        self.learner.restore(checkpoint.folder, state["learner"])
        self.stopping.restore(state["stopping"])
        self.meter.restore(state["meter"])
        self.micro_batch.shrink_to(state.get("micro_batch", self.micro_batch.size))
        self.is_judged, self.best_step = state["is_judged"], state["best_step"]
        self.best_validation = state["best_validation"]
        self.report.epoch, self.report.step, self.report.checkpoint_step = state["epoch"], step, step
        self.report.info(f"Resumed after step {step:,} of {self.plan.total_steps:,}, in epoch {self.report.epoch}")

    def _begin_epoch(self) -> None:
        self.report.epoch += 1
        self.is_judged = False
        self.meter = StepMeter(self.report, self.plan)

    def _is_over(self) -> bool:
        if not self.is_judged or not self.best_step:
            return False
        if self.stopping.is_exhausted:
            self.report.info(
                f"Early stop: no better {self.job.best_metric} on validation "
                f"for {self.stopping.waited_epochs} epochs, since epoch {self.stopping.best_epoch}"
            )
        return self.stopping.is_exhausted or self.report.is_finishing or self.report.step >= self.plan.total_steps

    def _train_epoch(self) -> None:
        """Run the steps that the epoch still has, fewer when the cap is reached or the run is asked to finish."""
        self.report.enter("training")
        train = self.prepared.rows.splits["train"]
        order = epoch_order(len(train), seed=self.settings.seed, epoch=self.report.epoch)
        rows_per_step = self.plan.rows_per_step
        begin = self.meter.steps * rows_per_step
        end = begin + (self.plan.total_steps - self.report.step) * rows_per_step
        self.model.train()
        for rows in cut_into(order[begin:end], rows_per_step):
            self._train_on([train[row] for row in rows])
            self._save_when_due()
            if self.report.is_finishing:
                break
        self.report.info(
            f"Epoch {self.report.epoch} of {self.plan.epochs}: training loss {self.meter.mean_loss:.4f}, "
            f"{self.meter.steps:,} steps in {self.meter.elapsed_seconds:.1f} s"
        )

    def _train_on(self, examples: Sequence[Example]) -> None:
        """Take one step over these rows and tell of it."""
        learning_rate = self.stepper.learning_rate
        figures = self.stepper.take(examples)
        self.report.step += 1
        self.meter.add(figures, learning_rate=learning_rate)
        self.divergence.check(
            figures,
            epoch=self.report.epoch,
            step=self.report.step,
            learning_rate=learning_rate,
            empty_rows=lambda: sum(not len(example.input_ids) for example in examples),
        )
        if figures.overflow_scale:
            self.report.info(
                f"Step {self.report.step:,}: fp16 gradients overflowed, the step is left out; "
                f"loss scale now {figures.overflow_scale:g}"
            )
        self.report.pulse()

    def _validate_epoch(self) -> None:
        """Judge the validation split and keep the weights when they are the best so far."""
        epoch, step = self.report.epoch, self.report.step
        began = self.report.clock()
        evaluation = self._evaluate("validation")
        self.report.split_figures("validation", evaluation.metrics, epoch=epoch, step=step)
        seconds = self.report.clock() - began
        self.report.info(f"Epoch {epoch}: validation {shown_figures(evaluation.metrics)} ({seconds:.1f} s)")
        fallback = self.best_step or self.report.checkpoint_step
        if self.stopping.observe(epoch, evaluation.metrics[self.job.best_metric]):
            self.best_step, self.best_validation = step, evaluation.metrics
        self.is_judged = True
        self._save_checkpoint(fallback=fallback)

    def _evaluate(self, split: str) -> Evaluation:
        self.report.enter("evaluating")
        return self._judge().evaluate(self.prepared.rows.splits[split])

    def _judge(self) -> Judge:
        return Judge(
            self.network,
            self.model,
            self.prepared.rows.cutting,
            self.prepared.layout,
            micro_batch=self.micro_batch,
            device=self.accelerator.device,
            class_weights=self.prepared.class_weights,
            on_batch=self.report.pulse,
        )

    def _save_when_due(self) -> None:
        """Write a checkpoint in the middle of an epoch; the epoch's end has its own."""
        is_due = self.report.clock() - self.checkpoint_at >= self.job.checkpoint_seconds
        if is_due and self.meter.steps < self.plan.steps_per_epoch:
            self._save_checkpoint()

    def _save_checkpoint(self, *, fallback: int = 0) -> None:
        """Write a checkpoint; keeps it and the best one, or `fallback` while it is itself the best.

        So there are always two to go on from, should one be found damaged.
        """
        step = self.report.step
        began = self.report.clock()
        other = fallback if step == self.best_step else self.best_step
        self._write_checkpoint(indispensable=other or self.report.checkpoint_step)
        keep_only(self.checkpoints, {step, other})
        self.checkpoint_at = self.report.clock()
        self.report.checkpoint_step = step
        self.report.tell_place()  # not a pulse: a run that is stopping must not be stopped here
        self.report.info(f"Checkpoint of step {step:,} saved ({self.checkpoint_at - began:.1f} s)")

    def _write_checkpoint(self, *, indispensable: int) -> None:
        """Write it; on a full disk once more without the older ones but the one that alone could be gone on from."""
        state, write_files = self._state(), self.learner.write_tensors
        try:
            write_checkpoint(self.checkpoints, state, write_files=write_files)
        except OSError as error:
            if not is_disk_full(error):
                raise
            self.report.warning("The disk is full: older checkpoints are removed, then this one is written again")
            keep_only(self.checkpoints, {indispensable})
            write_checkpoint(self.checkpoints, state, write_files=write_files)

    def _state(self) -> dict[str, Any]:
        return {
            "identity": self.job.identity,
            "step": self.report.step,
            "epoch": self.report.epoch,
            "is_judged": self.is_judged,
            "best_step": self.best_step,
            "best_validation": self.best_validation,
            "stopping": self.stopping.state(),
            "meter": self.meter.state(),
            "micro_batch": self.micro_batch.size,
            "learner": self.learner.facts(),
        }


def shown_figures(figures: dict[str, float | None]) -> str:
    """Write figures for a line; one that is not defined shows as "no examples"."""
    return ", ".join(
        f"{name} {'no examples' if value is None else format(value, '.4f')}" for name, value in figures.items()
    )
