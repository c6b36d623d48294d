"""Plays a run without training: lines, figures and a counter as a checkpoint. Run as `-m` by a --dry-run supervisor.

No torch, so that connections, faults and loads can be tried anywhere.
"""

import hashlib
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from bert_training.contract.enums import Outcome, Split
from bert_training.ml.keeping.checkpoints import keep_only, write_checkpoint
from bert_training.worker.child import ChildReporter, run_child
from bert_training.worker.resume import checkpoints_of
from bert_training.worker.trainer_orders import CANCEL, CONTINUE, FINISH, RELEASE

STEPS_PER_EPOCH = 40
STEPS_PER_SECOND = 20.0
STEPS_PER_CHECKPOINT = 10
SPEED_VARIABLE = "BERT_SIMULATED_STEPS_PER_SECOND"  # 0 = as fast as possible


class SimulationReporter(Protocol):
    """Where a simulation speaks to; the same that a real training gets."""

    def log(self, level: str, message: str) -> None: ...
    def metrics(self, *, epoch: int, step: int, split: str, values: dict[str, float]) -> None: ...
    def progress(self, *, phase: str, epoch: int, step: int, total_steps: int, checkpoint_step: int) -> None: ...
    def directive(self) -> str: ...


def play(
    job: dict[str, Any],
    reporter: SimulationReporter,
    *,
    save: Callable[[int], None],
    steps_per_second: float = STEPS_PER_SECOND,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Play a job from job["resume_step"] on; `save` keeps a step. Returns its outcome as the supervisor reads it."""
    epochs = max(1, int(job["hyperparameters"].get("epochs", 1)))
    total = epochs * STEPS_PER_EPOCH
    reporter.log("INFO", f"Simulation of {epochs} epochs, {total} steps: nothing is trained.")
    step = saved = int(job["resume_step"])
    while step < total and reporter.directive() == CONTINUE:
        step += 1
        if step % STEPS_PER_CHECKPOINT == 0:
            save(step)
            saved = step
        _play_step(reporter, step, total, checkpoint=saved)
        if steps_per_second > 0:
            sleep(1 / steps_per_second)
    if reporter.directive() == RELEASE and step > saved:
        save(step)
        _report_step(reporter, step, total, checkpoint=step)
    return _outcome(job, reporter, step)


def _play_step(reporter: SimulationReporter, step: int, total: int, *, checkpoint: int) -> None:
    loss = _loss(step, total)
    reporter.log("INFO", f"step {step} of {total}: loss {loss:.4f}")
    place = {"epoch": epoch_of(step), "step": step}
    if step == checkpoint:
        values = {"loss": loss, "learning_rate": 5e-5 * (1 - step / total)}
        reporter.metrics(**place, split=Split.TRAIN.value, values=values)
        reporter.log("INFO", f"checkpoint at step {step}")
    if step % STEPS_PER_EPOCH == 0:
        reporter.metrics(**place, split=Split.VALIDATION.value, values=_figures(step, total))
    _report_step(reporter, step, total, checkpoint=checkpoint)


def _report_step(reporter: SimulationReporter, step: int, total: int, *, checkpoint: int) -> None:
    reporter.progress(phase="training", epoch=epoch_of(step), step=step, total_steps=total, checkpoint_step=checkpoint)


def _outcome(job: dict[str, Any], reporter: SimulationReporter, step: int) -> dict[str, Any]:
    if reporter.directive() in (CANCEL, RELEASE):
        ended = Outcome.CANCELED if reporter.directive() == CANCEL else Outcome.RELEASED
        reporter.log("INFO", f"Simulation stopped at step {step}: {ended.value}.")
        return {"outcome": ended.value}
    if reporter.directive() == FINISH:
        reporter.log("INFO", f"Simulation asked to finish at step {step}.")
    figures = _figures(step, step)
    reporter.metrics(epoch=epoch_of(step), step=step, split=Split.TEST.value, values=figures)
    reporter.log("INFO", "Simulation completed.")
    return {
        "outcome": Outcome.COMPLETED.value,
        "result": {
            "metrics": figures,
            "model_fingerprint": hashlib.sha256(f"simulation of run {job['run_id']}".encode()).hexdigest(),
            "best_step": step,
            "classes": [],
        },
    }


def epoch_of(step: int) -> int:
    """Return the epoch that a step belongs to; both begin at 1."""
    return max(0, step - 1) // STEPS_PER_EPOCH + 1


def _loss(step: int, total: int) -> float:
    return 0.1 + 1.4 * math.exp(-4 * step / total)


def _figures(step: int, total: int) -> dict[str, float]:
    score = 0.9 - 0.6 * math.exp(-4 * step / total)
    return {"loss": _loss(step, total), "accuracy": score, "f1": score, "f1_macro": score}


def play_job(job: dict[str, Any], folder: Path, reporter: ChildReporter) -> dict[str, Any]:
    """Play a job as a trainer process trains one, with checkpoints in its folder. Returns its outcome."""
    facts = dict.fromkeys(("code_commit", "environment_fingerprint", "base_model_revision", "device"), "simulation")
    reporter.origin(**facts, split_digest=job["split_digest"])
    speed = float(os.environ.get(SPEED_VARIABLE) or STEPS_PER_SECOND)
    checkpoints = checkpoints_of(folder)
    kept: list[int] = []

    def save(step: int) -> None:
        write_checkpoint(checkpoints, {"identity": job["identity"], "step": step, "best_step": step})
        kept[:] = [*kept[-1:], step]
        keep_only(checkpoints, kept)

    return play(job, reporter, save=save, steps_per_second=speed)


if __name__ == "__main__":
    run_child(play_job)
