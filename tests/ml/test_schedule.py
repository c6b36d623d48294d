"""The learning rate follows transformers' schedules over optimizer steps."""

from pathlib import Path

import pytest
import torch
from transformers import get_scheduler

from bert_training.ml.learning.schedule import build_scheduler, count_warmup_steps
from bert_training.ml.training import BaseModelFiles
from tests.ml.runs import Recorder, run_text, text_job, toy_settings

SCHEDULES: dict[str, tuple[str, dict[str, float]]] = {
    "linear": ("linear", {}),
    "cosine": ("cosine", {}),
    "constant": ("constant_with_warmup", {}),
    "polynomial": ("polynomial", {"power": 2.0, "lr_end": 0.0}),
}


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("warmup_steps", [0, 3])
def test_the_learning_rate_equals_that_of_transformers(kind: str, warmup_steps: int) -> None:
    ours, theirs = (torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=1e-3) for _ in range(2))
    settings = toy_settings(lr_scheduler_type=kind, warmup_steps=warmup_steps)
    scheduler = build_scheduler(ours, settings, total_steps=10)
    name, options = SCHEDULES[kind]
    reference = get_scheduler(name, theirs, warmup_steps, 10, options)
    for _ in range(10):
        assert scheduler.get_last_lr() == pytest.approx(reference.get_last_lr())
        for optimizer, schedule in ((ours, scheduler), (theirs, reference)):
            optimizer.step()
            schedule.step()


@pytest.mark.parametrize(
    ("warmup_steps", "warmup_ratio", "steps"), [(7, None, 7), (7, 0.15, 15), (7, 0.0, 0), (0, 0.011, 2)]
)
def test_a_warmup_ratio_wins_over_steps(warmup_steps: int, warmup_ratio: float | None, steps: int) -> None:
    assert count_warmup_steps(toy_settings(warmup_steps=warmup_steps, warmup_ratio=warmup_ratio), 100) == steps


def test_the_plan_line_tells_schedule_and_warm_up(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    job = text_job(
        tiny_bert, tmp_path / "job", batch_size=18, epochs=1, lr_scheduler_type="cosine", warmup_ratio=0.34, max_steps=3
    )
    run_text(job, recorder)
    assert "learning rate 0.003, cosine, warm-up 2 steps (0.34 of all), seed 42" in recorder.text
    rates = [point["values"]["learning_rate"] for point in recorder.of_split("train")]
    assert rates == pytest.approx([0, 1.5e-3, 3e-3])


def test_a_warm_up_that_outlasts_the_run_is_a_warning(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", max_steps=1, warmup_steps=5), recorder)
    assert any("A warm-up of 5 steps is not below the 1 steps" in line for level, line in recorder.lines)
