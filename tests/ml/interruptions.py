"""Trainings that are stopped, or die, and are taken up again as a new process would."""

import contextlib
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bert_training.ml.job import TrainingJob, TrainingResult
from bert_training.ml.keeping.checkpoints import newest_checkpoint
from tests.ml.runs import Recorder

Run = Callable[[TrainingJob, Recorder], TrainingResult]


class PowerCut(Exception):
    """Ends a training without a word."""


def cut_power(at: Callable[[Recorder], bool]) -> Callable[[Recorder], str]:
    """Let a training die as soon as `at` is true of what it told."""

    def order(seen: Recorder) -> str:
        if at(seen):
            raise PowerCut
        return "continue"

    return order


def release_at(step: int, phase: str = "training") -> Callable[[Recorder], str]:
    """Ask a training to stop at a step, in a phase."""

    def order(seen: Recorder) -> str:
        moment = seen.moments[-1]
        return "release" if (moment["step"], moment["phase"]) == (step, phase) else "continue"

    return order


def resume_step(job: TrainingJob) -> int:
    """Return from where the job can go on; there must be a checkpoint."""
    found = newest_checkpoint(job.job_dir / "checkpoints", job.identity, on_skipped=pytest.fail)
    assert found is not None
    return found.step


def run_twice(run: Run, job: TrainingJob, order: Callable[[Recorder], str]) -> tuple[TrainingResult, Recorder, int]:
    """Run until `order` ends it, then again as a new process would. Returns the second run and where it began."""
    with contextlib.suppress(PowerCut):
        run(job, Recorder(order))
    scatter_chance()
    step = resume_step(job)
    second = Recorder()
    return run(replace(job, resume_step=step), second), second, step


def scatter_chance() -> None:
    """Leave random states that no training left behind."""
    random.seed(99)
    np.random.seed(99)
    torch.manual_seed(99)


def after(points: list[dict[str, Any]], step: int) -> list[dict[str, Any]]:
    """Return the points of later steps, and those of the test split."""
    return [point for point in points if point["step"] > step or (point["split"] == "test")]
