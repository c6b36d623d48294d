"""The forecast is near from the first run on, learns from each, and shrinks as a run goes on."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from bert_training.ml.machine.forecast import FURTHEST, Workload, expected_rates, shown_seconds
from bert_training.ml.machine.history import KEPT_RUNS, PastRun, RunProfile, add_to_history, most_similar, read_history
from bert_training.ml.machine.rehearsal import Rehearsal
from bert_training.ml.task_network import Batch
from bert_training.ml.training import BaseModelFiles, TrainingJob, train
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.runs import Recorder, module_with, text_job

PROFILE = RunProfile("a GPU", "bf16", 1, 4, 85_000_000, 85_000_000, row_tokens=60.0, step_tokens=960.0)
PAST = PastRun(PROFILE, 1e6, 100.0, 5e5, 20.0, rehearsed_bytes=10, peak_bytes=15)
REHEARSAL = Rehearsal(pieces=16, tokens=1000, seconds=1.0, peak_bytes=10, free_bytes=99, usual_seconds_a_token=1e-3)


def clocked(now: list[float]) -> type[TextClassificationNetwork]:
    """Make a network that takes ten seconds a batch and a second a text, a third of it when it only judges."""

    class Clocked(TextClassificationNetwork):
        def loss(self, logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
            seconds = 10.0 + len(batch.lengths)
            now[0] += seconds if logits.requires_grad else seconds / 3
            return super().loss(logits, batch, class_weights)

    return Clocked


def run_clocked(job: TrainingJob) -> tuple[Recorder, float, float]:
    """Train; returns with it the seconds that were forecast first, and those that it took from there on."""
    now, recorder = [0.0], Recorder()
    train(job, module_with(clocked(now)), recorder, clock=lambda: now[0])
    rehearsal = 2 * 18.0
    return recorder, recorder.seconds_left[0], now[0] - rehearsal


def job_with_history(base_model: BaseModelFiles, tmp_path: Path, name: str, **settings: Any) -> TrainingJob:
    return replace(text_job(base_model, tmp_path / name, **settings), history=tmp_path / "models" / "history.jsonl")


def test_the_forecast_of_a_first_run_comes_from_the_rehearsal(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder, expected, real = run_clocked(job_with_history(tiny_bert, tmp_path, "first"))
    assert "there is no similar run on this machine yet" in recorder.text
    assert expected == pytest.approx(real, rel=0.3)


def test_after_one_run_the_forecast_of_the_same_job_is_near(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    run_clocked(job_with_history(tiny_bert, tmp_path, "first", epochs=2))
    recorder, expected, real = run_clocked(job_with_history(tiny_bert, tmp_path, "second", epochs=6))
    assert "from 1 similar run on this machine" in recorder.text
    assert expected == pytest.approx(real, rel=0.1)
    assert f"Forecast of these 42 steps: {shown_seconds(expected)}, it took {shown_seconds(real)}" in recorder.text


def test_what_is_left_falls_to_nothing_and_nears_what_was_left_indeed(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    recorder, _expected, real = run_clocked(job_with_history(tiny_bert, tmp_path, "job", epochs=6))
    lefts = recorder.seconds_left
    assert lefts[-1] == 0
    assert all(later <= earlier + 0.1 * real for earlier, later in pairwise(lefts))
    steps = [moment["step"] for moment in recorder.moments][-len(lefts) :]
    halfway = lefts[steps.index(21)]
    assert halfway == pytest.approx(real / 2, rel=0.2)


@pytest.mark.long
def test_a_resumed_run_forecasts_what_is_left(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = job_with_history(tiny_bert, tmp_path, "job", epochs=6)
    _recorder, whole, _real = run_clocked(job)
    stop = Recorder(lambda seen: "release" if seen.moments[-1]["step"] == 30 else "continue")
    again = job_with_history(tiny_bert, tmp_path, "again", epochs=6)
    train(again, module_with(TextClassificationNetwork), stop)
    _recorder, rest, real = run_clocked(replace(again, resume_step=30))
    assert rest < whole / 2
    assert rest == pytest.approx(real, rel=0.3)


def test_a_history_that_cannot_be_written_costs_no_run(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = replace(text_job(tiny_bert, tmp_path / "job", max_steps=1), history=tmp_path)
    recorder = Recorder()
    assert train(job, module_with(TextClassificationNetwork), recorder).ended == "completed"
    assert any("is not kept for later forecasts" in message for level, message in recorder.lines if level == "WARNING")


def test_the_history_is_bounded_and_passes_over_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    wrong: list[dict[str, Any]] = [
        {"profile": {}},
        {"train_tokens": 1},
        {**json.loads(json.dumps({"profile": vars(PROFILE)})), "train_tokens": "many"},
    ]
    path.write_text("\n".join(["", "{", "[]", "null", *map(json.dumps, wrong), ""]))
    assert read_history(path) == []
    for number in range(KEPT_RUNS + 2):
        add_to_history(path, replace(PAST, train_seconds=float(number)))
    assert [run.train_seconds for run in read_history(path)] == [float(number) for number in range(2, KEPT_RUNS + 2)]


def test_no_history_is_an_empty_one(tmp_path: Path) -> None:
    assert read_history(None) == read_history(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    "change",
    [
        {"device": "another GPU"},
        {"precision": "fp32"},
        {"processes": 2},
        {"is_sharded": True},
        {"parameters": 8_500_000},
    ],
)
def test_runs_that_are_too_unlike_tell_nothing(change: dict[str, Any]) -> None:
    other = replace(PAST, profile=replace(PROFILE, **change))
    assert most_similar(PROFILE, [other], most=3, within=FURTHEST) == []


def test_the_most_similar_runs_come_first_and_the_newest_of_equals() -> None:
    twice = replace(PAST, profile=replace(PROFILE, row_tokens=120.0))
    old, new = replace(PAST, train_seconds=1.0), replace(PAST, train_seconds=2.0)
    assert most_similar(PROFILE, [twice, old, new], most=2, within=FURTHEST) == [new, old]


def test_rates_are_scaled_to_the_size_of_the_network_and_memory_to_what_it_became() -> None:
    larger = replace(PROFILE, parameters=170_000_000)
    rates = expected_rates(larger, REHEARSAL, [PAST])
    assert (rates.train, rates.judge) == pytest.approx((2e-4, 8e-5))
    assert rates.memory_factor == 1.5


def test_evaluations_are_counted_with_the_one_at_the_end() -> None:
    work = Workload(total_steps=25, step_tokens=1, steps_per_evaluation=10, evaluation_tokens=1, final_tokens=1)
    assert [work.evaluations(*steps) for steps in ((0, 25), (0, 20), (10, 25), (20, 24), (25, 25))] == [3, 2, 2, 0, 0]
