"""The trainer's side: what it writes, what it obeys, and the simulation that stands in for training."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.messages import ProgressRequest, Result
from bert_training.worker.child import ChildReporter
from bert_training.worker.files import read_json, write_json
from bert_training.worker.simulation import play
from bert_training.worker.spool import LOG, METRIC, PREDICTION, count_records
from bert_training.worker.trainer_orders import CANCEL, CONTINUE, FINISH, RELEASE, OrderBox, spool_path
from bert_training.worker.trainer_process import trainer_environment
from tests.worker.held_clock import HeldClock

JOB = {"run_id": 4, "attempt": 1, "hyperparameters": {"epochs": 2}, "resume_step": 0}


class Listener:
    """A reporter that remembers; `order` answers the directive from the number of steps so far."""

    def __init__(self, order: Callable[[int], str] = lambda _steps: CONTINUE) -> None:
        self.order = order
        self.lines: list[str] = []
        self.points: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.saved: list[int] = []

    def log(self, level: str, message: str) -> None:
        self.lines.append(message)

    def metrics(self, **point: Any) -> None:
        self.points.append(point)

    def progress(self, **state: Any) -> None:
        self.states.append(state)

    def directive(self) -> str:
        return self.order(len(self.states))


def simulate(listener: Listener, **changes: Any) -> dict[str, Any]:
    return play(JOB | changes, listener, save=listener.saved.append, steps_per_second=0)


def test_a_simulation_plays_forty_steps_an_epoch_with_a_line_each() -> None:
    listener = Listener()
    outcome = simulate(listener)
    assert len([line for line in listener.lines if line.startswith("step ")]) == 80
    assert [state["epoch"] for state in listener.states] == [1] * 40 + [2] * 40
    assert [state["checkpoint_step"] for state in listener.states[8:21]] == [0] + [10] * 10 + [20] * 2
    assert [point["step"] for point in listener.points if point["split"] == "validation"] == [40, 80]
    assert Result.model_validate(outcome["result"]).best_step == 80


def test_the_loss_of_a_simulation_falls() -> None:
    listener = Listener()
    simulate(listener)
    losses = [point["values"]["loss"] for point in listener.points if point["split"] == "train"]
    assert losses == sorted(losses, reverse=True)


def test_a_simulation_waits_between_its_steps() -> None:
    waits: list[float] = []
    listener = Listener()
    play(JOB, listener, save=listener.saved.append, steps_per_second=20, sleep=waits.append)
    assert waits == [0.05] * 80


@pytest.mark.parametrize(("word", "outcome"), [(CANCEL, "canceled"), (RELEASE, "released"), (FINISH, "completed")])
def test_a_simulation_obeys_at_the_next_step(word: str, outcome: str) -> None:
    listener = Listener(lambda steps: word if steps >= 7 else CONTINUE)
    assert simulate(listener)["outcome"] == outcome
    assert max(state["step"] for state in listener.states) == 7


def test_a_simulation_goes_on_from_a_step_and_keeps_the_one_at_which_it_is_released() -> None:
    listener = Listener(lambda steps: RELEASE if steps >= 24 else CONTINUE)
    assert simulate(listener, resume_step=13)["outcome"] == "released"
    assert next(line for line in listener.lines if line.startswith("step ")).startswith("step 14 of 80")
    assert listener.saved == [20, 30, 37]
    assert listener.states[-1]["checkpoint_step"] == 37


def test_progress_is_written_a_few_times_a_second_and_at_each_phase(tmp_path: Path) -> None:
    clock = HeldClock()
    clock.now = 1000.0
    reporter = ChildReporter(tmp_path, 1, OrderBox(), timing=clock.timing)

    def report(phase: str, step: int) -> int:
        reporter.progress(phase=phase, epoch=1, step=step, total_steps=9, checkpoint_step=0)
        return int(json.loads((tmp_path / "progress-1.json").read_text())["step"])

    assert report("training", 1) == 1
    assert report("training", 2) == 1
    assert report("evaluating", 3) == 3
    clock.now += 1
    assert report("evaluating", 4) == 4
    assert report("evaluating", 5) == 4
    reporter.close()
    assert json.loads((tmp_path / "progress-1.json").read_text())["step"] == 5


def test_each_pulse_is_a_sign_of_life_also_while_no_step_passes(tmp_path: Path) -> None:
    clock = HeldClock()
    reporter = ChildReporter(tmp_path, 1, OrderBox(), timing=clock.timing)
    seen = set()
    for _ in range(3):
        clock.now += 1
        reporter.progress(phase="evaluating", epoch=1, step=7, total_steps=9, checkpoint_step=0)
        seen.add((tmp_path / "progress-1.json").read_text())
    assert len(seen) == 3


def test_what_is_told_once_is_written_at_once_and_stays(tmp_path: Path) -> None:
    reporter = ChildReporter(tmp_path, 1, OrderBox(), timing=HeldClock().timing)
    reporter.origin(device="cpu", code_commit="abc")
    reporter.machine(device="cpu x 2", precision="bf16", threads=3)
    reporter.token_lengths({"max_length": 128})
    reporter.progress(phase="training", epoch=1, step=1, total_steps=9, checkpoint_step=0)
    reporter.close()
    state = json.loads((tmp_path / "progress-1.json").read_text())
    origin = {"device": "cpu x 2", "code_commit": "abc", "precision": "bf16", "threads": 3}
    assert (state["phase"], state["reproducibility"]) == ("training", origin)
    assert state["token_lengths"] == {"max_length": 128}


def test_lines_and_points_go_to_one_spool(tmp_path: Path) -> None:
    reporter = ChildReporter(tmp_path, 2, OrderBox(), timing=HeldClock().timing)
    reporter.log("INFO", "two\nlines")
    reporter.metrics(epoch=1, step=1, split="train", values={"loss": float("inf")})
    reporter.close()
    assert count_records(spool_path(tmp_path, 2)) == {LOG: 2, METRIC: 1, PREDICTION: 0}


def test_the_environment_of_a_trainer_keeps_what_it_needs_and_nothing_of_the_portal() -> None:
    token = "bertw_" + "x" * 49
    ours = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy:3128",
        "HF_TOKEN": "hf_1",
        "CUDA_VISIBLE_DEVICES": "1",
        "BERT_TOKEN": token,
        "BERT_TOKEN_FILE": "/run/token",
        "BERT_API_URL": "https://portal.example.org",
        "SECRET_KEY_FILE": "/run/key",
        "DATABASE_URL": "postgres://x",
        "LAST_COMMAND": f"curl -H {token}",
        "NOTE": "see portal.example.org",
    }
    kept = trainer_environment(ours, secrets=(token, "portal.example.org"), offline=True)
    assert {"PATH", "HTTPS_PROXY", "HF_TOKEN", "CUDA_VISIBLE_DEVICES"} <= set(kept)
    assert kept["HF_HUB_OFFLINE"] == "1"
    assert not set(kept) & {"BERT_TOKEN", "BERT_TOKEN_FILE", "BERT_API_URL", "SECRET_KEY_FILE", "DATABASE_URL"}
    assert not set(kept) & {"LAST_COMMAND", "NOTE"}


def test_a_trainer_finds_the_project_before_any_other_path() -> None:
    kept = trainer_environment({"PYTHONPATH": "/elsewhere"}, secrets=(), offline=False)
    first, second = kept["PYTHONPATH"].split(":")
    assert (Path(first) / "bert_training").is_dir()
    assert second == "/elsewhere"


def test_a_state_file_is_replaced_whole_and_a_damaged_one_reads_as_none(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert read_json(path) is None
    write_json(path, {"a": 1})
    write_json(path, {"a": 2}, durable=True)
    assert read_json(path) == {"a": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]
    path.write_text('{"a": ')
    assert read_json(path) is None


@pytest.mark.parametrize(("seconds", "told"), [(12.4, 10), (1e12, 1e9)])
def test_a_forecast_is_never_longer_than_the_portal_takes(tmp_path: Path, seconds: float, told: float) -> None:
    """A thousand epochs on a slow computer: all progress was dropped as unreadable."""
    reporter = ChildReporter(tmp_path, 1, OrderBox(), timing=HeldClock().timing)
    reporter.remaining(seconds)
    reporter.progress(phase="training", epoch=1, step=1, total_steps=9, checkpoint_step=0)
    state = read_json(tmp_path / "progress-1.json") or {}
    assert ProgressRequest.model_validate({**state, "attempt": 1}, strict=False).remaining_seconds == told
