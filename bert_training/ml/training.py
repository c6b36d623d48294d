"""The one training loop, for every task that has a TaskNetwork. Device, precision and gradients go through accelerate.

Knows no task by name, no HTTP and no Django: it speaks to a Reporter and leaves a model folder.
"""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, nullcontext
from types import ModuleType
from typing import Any

from bert_training.ml.job import Reporter, TrainingJob, TrainingResult, TrainingSettings
from bert_training.ml.judging.alerts import Alerts
from bert_training.ml.judging.early_stopping import EarlyStopping
from bert_training.ml.judging.evaluation import Judge
from bert_training.ml.judging.long_text import JudgedTest, compare_ways
from bert_training.ml.keeping.checkpoints import checkpoint_folder, read_checkpoint
from bert_training.ml.keeping.final_model import RunFacts, keep_final_model
from bert_training.ml.keeping.saving import Saver
from bert_training.ml.keeping.snapshot import load_weights
from bert_training.ml.layout.vocabulary import spares_words
from bert_training.ml.learning.assembly import assemble
from bert_training.ml.learning.divergence import DivergenceGuard
from bert_training.ml.learning.schedule import count_warmup_steps
from bert_training.ml.machine.distributed import join_world
from bert_training.ml.machine.forecast import Forecaster
from bert_training.ml.machine.hardware import choose_device
from bert_training.ml.machine.memory import explained_memory_errors
from bert_training.ml.machine.preflight import check_disk
from bert_training.ml.machine.rehearsal import rehearse
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.preparation import Prepared, prepare
from bert_training.ml.proof.evidence import Evidence, gather_evidence
from bert_training.ml.proof.final_judgement import FinalJudgement, judge_finally
from bert_training.ml.reporting import RunReport, Silent, StepMeter, StopRequested
from bert_training.ml.rows.feeding import ReadyStep
from bert_training.ml.task_network import TaskNetwork

__all__ = [
    "BaseModelFiles",
    "Reporter",
    "TaskNetwork",
    "TrainingJob",
    "TrainingResult",
    "TrainingSettings",
    "train",
]

LINE_FIGURES = 7  # of a log line, beside the loss; the others stand with the result


def train(
    job: TrainingJob, network_module: ModuleType, reporter: Reporter, *, clock: Callable[[], float] = time.monotonic
) -> TrainingResult:
    """Train, judge and keep one network; blocks for as long as that takes.

    Goes on from job.resume_step, with the same numbers as if it had never stopped. Leaves job_dir/checkpoints/, and
    job_dir/final/ when completed. Raises a TrainingError subclass.
    """
    world = join_world(choose_device(job.device))
    report = RunReport(reporter if world.is_main else Silent(), clock)
    report.checkpoint_step = job.resume_step
    with explained_memory_errors(job.settings), ExitStack() as at_end:
        try:
            session = TrainingSession(job, prepare(job, network_module, report, world, at_end), report, network_module)
            session.fit()
            return session.finish()
        except StopRequested as stop:
            report.info(f"Stopped at step {report.step:,}: {stop.ended}")
            return TrainingResult(stop.ended, {}, [], model_fingerprint="", best_step=report.checkpoint_step)


class TrainingSession:
    """The state of one run between its first and its last step."""

    def __init__(self, job: TrainingJob, prepared: Prepared, report: RunReport, network_module: ModuleType) -> None:
        self.job = job
        self.network_module = network_module
        self.settings = job.settings
        self.prepared = prepared
        self.network = prepared.network
        self.accelerator = prepared.accelerator
        self.world = prepared.world
        self.plan = prepared.plan
        self.report = report
        learning = assemble(prepared, self.settings, report)
        self.model, self.sharding = learning.model, learning.sharding
        self.micro_batch, self.feeder = learning.micro_batch, learning.feeder
        self.stepper, self.learner = learning.stepper, learning.learner
        self.divergence = DivergenceGuard(self.settings, self.network.model, precision=prepared.machine["precision"])
        self.meter = StepMeter(report, self.plan, logging_steps=self.settings.logging_steps)
        self.stopping = EarlyStopping(
            job.best_metric,
            higher_is_better=job.best_metric_is_higher,
            patience=self.settings.early_stopping_patience,
            threshold=self.settings.early_stopping_threshold,
        )
        self.alerts = Alerts(report.warning, label_per_token=self.network.label_per_token)
        self.saver = Saver(job, self.learner, self.stopping, report, place=self._place)
        self.forecaster: Forecaster | None = None  # none when all that is left is to judge the best
        self.in_epoch = False
        self.is_judged = True  # whether the weights as they are have been: there is nothing to judge before a step

    def fit(self) -> None:
        """Train and judge in turn, or what is left of it; leaves the best weights and the last state."""
        self.report.total_steps = self.plan.total_steps
        self.report.join(self.world)
        if self.job.resume_step:
            self._resume(self.job.resume_step)
        if not self.is_over:
            self._rehearse()
        try:
            while not self.is_over:
                if self.is_evaluation_due:
                    self._judge()
                else:
                    self._train()
        except StopRequested as stop:
            if stop.ended == "released":
                self.saver.before_leaving()
            raise
        if self.stopping.is_exhausted:
            self._describe_early_stop()
        total = self.plan.total_steps
        warmup_steps = count_warmup_steps(self.settings, total)
        self.alerts.after_training(self.report.step, warmup_steps=warmup_steps, total_steps=total)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is learned."""
        if not self.is_judged or not self.stopping.best_step:
            return False
        return self.stopping.is_exhausted or self._has_reached_end

    @property
    def is_evaluation_due(self) -> bool:
        """Tell whether the validation split is judged now: by steps or by epochs, and at the end in any case."""
        if self.is_judged:
            return False
        every = self.settings.eval_steps
        return self._has_reached_end or (self.report.step % every == 0 if every else not self.in_epoch)

    @property
    def _has_reached_end(self) -> bool:
        return self.report.is_finishing or self.report.step >= self.plan.total_steps

    def _rehearse(self) -> None:
        """Find out before the first step what would end the run in the middle, and how long it will take."""
        self.report.enter("preparing")
        check_disk(self.job, self.network.model, self.report)
        rehearsal = rehearse(self.job, self.prepared, self.stepper, clock=self.report.clock)
        self.report.info(rehearsal.describe())
        self.forecaster = Forecaster(self.job, self.prepared, rehearsal, self.report)
        self.forecaster.announce()
        self.report.pulse()
        self.report.meet()

    def finish(self) -> TrainingResult:
        """Calibrate and judge the best checkpoint, prove it, and keep it as job_dir/final/."""
        self._take_best_weights()
        self._begin_evaluation()
        judge, rows = self._new_judge(), self.prepared.rows
        judged = judge_finally(judge, rows, self.report)
        test = judged.test
        self.report.split_figures("test", test.metrics, epoch=self.stopping.best_epoch, step=self.stopping.best_step)
        self.report.info(f"Test: {shown_figures(test.metrics)}")
        self.alerts.after_test(test)
        judged_test = JudgedTest(judge, rows.splits["test"], test, self.job.best_metric)
        long_text = compare_ways(judged_test, self.report, seed=self.settings.seed)
        self.report.enter("saving")  # also what follows from the answers: forecasts learn from the seconds of judging
        if not self.world.is_main:
            return TrainingResult("completed", test.metrics, test.classes, "", self.stopping.best_step)
        evidence = gather_evidence(self.job, self.network, self.network_module, judged, self.report)
        return self._keep(judged, evidence, long_text)

    def _take_best_weights(self) -> None:
        """Make the network the plain, whole one that will be kept. Collective."""
        step = self.stopping.best_step
        self.report.info(
            f"Best epoch: {self.stopping.best_epoch} (step {step:,}); its weights are judged on the test split"
        )
        load_weights(self.network.model, checkpoint_folder(self.saver.folder, step))
        if self.sharding:
            self.sharding.end()
        if self.prepared.adapter:
            self.prepared.adapter.merge()

    def _keep(self, judged: FinalJudgement, evidence: Evidence, long_text: dict[str, Any] | None) -> TrainingResult:
        """Write job_dir/final/ and say what came out."""
        facts = RunFacts(
            job=self.job,
            machine=self.prepared.machine,
            rows={name: len(examples) for name, examples in self.prepared.rows.splits.items()},
            best_epoch=self.stopping.best_epoch,
            best_step=self.stopping.best_step,
            validation=self.stopping.best_figures,
            judged=judged,
            evidence=evidence,
            seconds=dict(self.report.seconds),
            reading=self.prepared.rows.cutting.facts(),
            long_text=long_text,
        )
        fingerprint = keep_final_model(self.job.job_dir / "final", self.network, facts, adapter=self.prepared.adapter)
        self.report.info(f"Saved to {self.job.job_dir / 'final'}, fingerprint {fingerprint}")
        self.report.info(f"Time: {self.report.durations()}")
        if self.forecaster:
            self.forecaster.learn()
        return TrainingResult(
            "completed",
            judged.test.metrics,
            judged.test.classes,
            fingerprint,
            self.stopping.best_step,
            long_text,
            evidence.digest,
            judged.calibration_facts(),
        )

    def _resume(self, step: int) -> None:
        """Take up the state after a step: network, optimizer, chance, and the place in the data."""
        checkpoint = read_checkpoint(self.saver.folder, step)
        state = checkpoint.state
        self.stopping.restore(state["stopping"])
        self.meter.restore(state["meter"])
        self.alerts.restore(state["alerts"])
        self.micro_batch.shrink_to(state["micro_batch"])
        self.in_epoch, self.is_judged = state["in_epoch"], state["is_judged"]
        self.report.epoch, self.report.step, self.report.is_finishing = state["epoch"], step, state["is_finishing"]
        if not self.is_over:  # else there may be no tensors: nothing more is learned
            self.learner.restore(checkpoint.folder, state["learner"])
        self.report.info(f"Resumed after step {step:,} of {self.plan.total_steps:,}, in epoch {self.report.epoch}")

    def _place(self) -> dict[str, Any]:
        """Return where the run is, for `_resume`."""
        return {
            "epoch": self.report.epoch,
            "is_finishing": self.report.is_finishing,
            "in_epoch": self.in_epoch,
            "is_judged": self.is_judged,
            "stopping": self.stopping.state(),
            "meter": self.meter.state(),
            "alerts": self.alerts.state(),
            "micro_batch": self.micro_batch.size,
            "spares_words": spares_words(self.network.model),
        }

    def _train(self) -> None:
        """Take the steps until the run is judged or the epoch ends."""
        if not self.in_epoch:
            self.in_epoch = True
            self.report.epoch += 1
            self.meter.begin_epoch()
        self.report.enter("training")
        self.model.train()
        with closing(self._rest_of_epoch()) as steps:
            for step in steps:
                self._train_on(step)
                if self.is_evaluation_due:
                    break
                self.saver.after_step()
            else:
                self.in_epoch = False
        if self._has_reached_end or not self.in_epoch:
            self._describe_epoch()

    def _rest_of_epoch(self) -> Generator[ReadyStep, None, None]:
        """Yield the steps that the epoch still has."""
        rows_of_steps = self.prepared.step_rows.of_epoch(self.report.epoch)[self.meter.steps :]
        return self.feeder.steps(self.prepared.rows.splits["train"], rows_of_steps)

    def _train_on(self, step: ReadyStep) -> None:
        """Take one step and tell of it."""
        learning_rate = self.stepper.learning_rate
        figures = self.stepper.take(step)
        self.report.step += 1
        self.is_judged = False
        self.meter.add(figures, learning_rate=learning_rate)
        self.divergence.check(
            figures,
            epoch=self.report.epoch,
            step=self.report.step,
            learning_rate=learning_rate,
            empty_rows=step.count_empty,
        )
        if figures.overflow_scale:
            self.report.info(
                f"Step {self.report.step:,}: fp16 gradients overflowed, the step is left out; "
                f"loss scale now {figures.overflow_scale:g}"
            )
        self.prepared.rows.tell()
        self.report.pulse()
        self.report.meet()

    def _judge(self) -> None:
        """Judge the validation split and keep the weights when they are the best so far."""
        epoch, step = self.report.epoch, self.report.step
        began = self.report.clock()
        self._begin_evaluation()
        with self.sharding.whole() if self.sharding else nullcontext():
            evaluation = self._new_judge().evaluate(self.prepared.rows.splits["validation"])
        self.report.split_figures("validation", evaluation.metrics, epoch=epoch, step=step)
        seconds = self.report.clock() - began
        place = f"Epoch {epoch}, step {step:,}" if self.settings.eval_steps else f"Epoch {epoch}"
        self.report.info(f"{place}: validation {shown_figures(evaluation.metrics)} ({seconds:.1f} s)")
        self.alerts.after_validation(evaluation, training_loss=self.meter.mean_loss)
        is_best = self.stopping.observe(evaluation.metrics, epoch=epoch, step=step)
        self.is_judged = True
        self.saver.after_evaluation(is_best=is_best, is_over=self.is_over)
        self.meter.leave_out(self.report.clock() - began)

    def _begin_evaluation(self) -> None:
        self.report.enter("evaluating")
        self.prepared.rows.wait()

    def _new_judge(self) -> Judge:
        return Judge(
            self.network,
            self.model,
            self.prepared.rows.cutting,
            self.prepared.layout,
            micro_batch=self.micro_batch,
            device=self.accelerator.device,
            class_weights=self.prepared.class_weights,
            on_batch=self.report.pulse,
            on_round=self.report.meet,
            world=self.world,
        )

    def _describe_epoch(self) -> None:
        self.report.info(
            f"Epoch {self.report.epoch} of {self.plan.epochs}: training loss {self.meter.mean_loss:.4f}, "
            f"{self.meter.steps:,} steps in {self.meter.elapsed_seconds:.1f} s"
        )

    def _describe_early_stop(self) -> None:
        stopping = self.stopping
        self.report.info(
            f"Early stop: no better {stopping.metric} on validation for {stopping.waited} evaluations, "
            f"since step {stopping.best_step:,} (epoch {stopping.best_epoch})"
        )


def shown_figures(figures: dict[str, float | None]) -> str:
    """Write the first figures and the loss for a line; one that is not defined shows as "no examples"."""
    first = {name: figures[name] for name in [*figures][:LINE_FIGURES]} | {"loss": figures["loss"]}
    return ", ".join(
        f"{name} {'no examples' if value is None else format(value, '.4f')}" for name, value in first.items()
    )
