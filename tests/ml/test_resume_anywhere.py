"""Whatever the recipe and wherever it dies, a training that is taken up again ends as one that was not disturbed."""

import contextlib
import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bert_training.ml.job import TrainingJob, TrainingResult
from bert_training.ml.keeping.checkpoints import newest_checkpoint
from bert_training.ml.machine import hardware
from bert_training.ml.training import BaseModelFiles, train
from bert_training.tasks.text_classification import network as text_network
from tests.ml.interruptions import PowerCut, scatter_chance
from tests.ml.runs import Recorder, text_job, text_table

# What decides which numbers are drawn, which state there is, and when it is written; the first value is the default.
RECIPES: dict[str, tuple[Any, ...]] = {
    "gradient_accumulation_steps": (1, 2),
    "eval_steps": (None, 3, 5),
    "save_steps": (None, 2, 5),
    "save_total_limit": (2, 3),
    "early_stopping_patience": (0, 1, 2),
    "early_stopping_threshold": (0.0, 0.05),
    "logging_steps": (None, 3),
    "dropout": (None, 0.3),
    "lr_scheduler_type": ("linear", "cosine", "polynomial"),
    "warmup_ratio": (None, 0.3),
    "layer_lr_decay": (1.0, 0.8),
    "frozen_layers": (0, 1),
    "gradient_checkpointing": (False, True),
    "label_smoothing_factor": (0.0, 0.1),
    "lora_r": (0, 4),
    "batch_tokens": (None, 80),
    "dataloader_num_workers": (1, 0),
}
LONG_TEXTS: tuple[dict[str, Any], ...] = (
    {},
    {"max_length": 8, "truncation_side": "none", "window_overlap": 2},
    {"max_length": 8},
)


def job_of(base_model: BaseModelFiles, job_dir: Path, seed: int) -> TrainingJob:
    """Make a job of a recipe that the seed draws."""
    chance = random.Random(seed)
    drawn = {name: chance.choice(values) for name, values in RECIPES.items()}
    drawn |= chance.choice(LONG_TEXTS)
    job = text_job(base_model, job_dir, table=text_table(45), epochs=3, seed=seed, **drawn)
    metric = chance.choice(("f1_macro", "loss"))
    seconds = chance.choice((5.0, 60.0, 1e9))
    return replace(job, best_metric=metric, best_metric_is_higher=metric != "loss", checkpoint_seconds=seconds)


def run(job: TrainingJob, recorder: Recorder) -> TrainingResult:
    """Train with a clock of which each look takes a second."""
    ticks = itertools.count()
    return train(job, text_network, recorder, clock=lambda: float(next(ticks)))


def die_at(sign: int) -> Callable[[Recorder], str]:
    """Let a training die at its so manieth sign of life."""
    signs = itertools.count(1)

    def order(_seen: Recorder) -> str:
        if next(signs) == sign:
            raise PowerCut
        return "continue"

    return order


def resumed(job: TrainingJob) -> TrainingJob:
    """Return the job as the supervisor hands it to the next process."""
    scatter_chance()
    found = newest_checkpoint(job.job_dir / "checkpoints", job.identity, on_skipped=pytest.fail)
    return replace(job, resume_step=found.step if found else 0)


def compare(base_model: BaseModelFiles, folder: Path, seed: int) -> None:
    whole = Recorder()
    undisturbed = run(job_of(base_model, folder / "whole", seed), whole)
    chance = random.Random(-seed)
    job = job_of(base_model, folder / "disturbed", seed)
    for _death in range(chance.choice((1, 1, 2, 3))):
        with contextlib.suppress(PowerCut):
            run(job, Recorder(die_at(chance.randrange(1, len(whole.moments)))))
        job = resumed(job)
    last = Recorder()
    assert run(job, last) == undisturbed
    assert last.points == whole.points[len(whole.points) - len(last.points) :]


@pytest.mark.parametrize("seed", [4, 7, 12])  # go on in the middle, once, twice and three times
def test_a_training_that_died_anywhere_ends_as_one_that_did_not(
    tiny_bert: BaseModelFiles, tmp_path: Path, seed: int
) -> None:
    compare(tiny_bert, tmp_path, seed)


@pytest.mark.long  # 40 recipes
@pytest.mark.parametrize("first", range(100, 120, 5))
@pytest.mark.parametrize("flags", ["", "avx512_bf16"], ids=["fp32", "bf16"])
def test_many_trainings_that_died_anywhere_end_as_those_that_did_not(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, first: int
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(hardware, "CPUINFO", tmp_path / "cpuinfo")
    for seed in range(first, first + 5):
        compare(tiny_bert, tmp_path / str(seed), seed)


def test_the_same_training_twice_gives_the_same_weights(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    first, second = (run(job_of(tiny_bert, tmp_path / name, 7), Recorder()) for name in ("first", "second"))
    assert first == second
    assert run(job_of(tiny_bert, tmp_path / "other", 8), Recorder()) != first
