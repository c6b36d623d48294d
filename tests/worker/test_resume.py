"""An attempt goes on where the one before was: after a kill, a release, and with damaged checkpoints."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.messages import ClaimedJob
from bert_training.ml.keeping.checkpoints import TRAINING, WEIGHTS, write_checkpoint
from bert_training.worker.resume import find_resume_step, job_identity, put_away
from bert_training.worker.simulation import SPEED_VARIABLE
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import LocalSupervisor, RealSupervisor

StartProcess = Callable[..., RealSupervisor]
Start = Callable[..., LocalSupervisor]
SLOW = {SPEED_VARIABLE: "100"}  # 5 epochs last 2 s
LONG = {"epochs": 5}
STEPS = 200


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPEED_VARIABLE, "100")


def checkpoints_in(models_dir: Path, job: ClaimedJob) -> list[int]:
    folders = (models_dir / "jobs" / str(job.job_id) / "checkpoints").glob("step-*")
    return sorted(int(folder.name.removeprefix("step-")) for folder in folders)


def take_up(portal: FakePortal, job: ClaimedJob, *, attempt: int = 2) -> ClaimedJob:
    """Let the portal hold the job as the next attempt, as it does when a worker has restarted."""
    portal.held = job.model_copy(update={"attempt": attempt, "held": True})
    return portal.held


def first_progress(portal: FakePortal, attempt: int) -> dict[str, Any]:
    return next(entry for entry in portal.progress if entry["attempt"] == attempt)


def steps_of(portal: FakePortal, job: ClaimedJob, attempt: int) -> list[int]:
    messages = portal.messages(job, attempt=attempt)
    return [int(message.split()[1]) for message in messages if message.startswith("step ")]


@pytest.mark.processes
def test_a_killed_and_restarted_worker_goes_on_from_its_last_checkpoint_within_ten_seconds(
    portal: FakePortal, start_process: StartProcess
) -> None:
    """F-01."""
    worker = start_process(**SLOW)
    job = portal.enqueue(hyperparameters=LONG)
    portal.wait_for(lambda: len(portal.points.get((job.job_id, 1), [])) >= 3)
    trainer = worker.trainer()
    worker.kill()
    trainer.wait(10)
    newest = checkpoints_in(worker.models_dir, job)[-1]
    take_up(portal, job)
    began = time.monotonic()
    start_process(**SLOW)
    portal.wait_for(lambda: steps_of(portal, job, 2))
    assert time.monotonic() - began < 10
    portal.wait_for(lambda: portal.ends)
    assert newest >= 30
    told = [entry["resumed_from_step"] for entry in portal.progress if entry["attempt"] == 2]
    assert told == [newest] + [None] * (len(told) - 1)
    assert steps_of(portal, job, 2) == list(range(newest + 1, STEPS + 1))
    assert f"Attempt 2 goes on from the verified checkpoint of step {newest}." in portal.messages(job, attempt=2)
    assert (portal.ends[0]["attempt"], portal.ends[0]["outcome"]) == (2, "completed")
    spool = worker.models_dir / "jobs" / str(job.job_id) / "attempt-1.jsonl"
    written = [record["message"] for record in map(json.loads, spool.open()) if record["kind"] == "log"]
    portal.wait_for(lambda: len(portal.messages(job, attempt=1)) == len(written))
    assert portal.messages(job, attempt=1) == written


@pytest.mark.processes
def test_a_killed_trainer_is_a_failure_within_five_seconds_with_all_its_lines(
    portal: FakePortal, start_process: StartProcess
) -> None:
    """F-03."""
    worker = start_process(**SLOW)
    job = portal.enqueue(hyperparameters=LONG)
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    worker.trainer().kill()
    began = time.monotonic()
    portal.wait_for(lambda: portal.ends)
    assert time.monotonic() - began < 5
    end = portal.ends[0]
    assert (end["outcome"], end["error"]["code"]) == ("failed", "killed")
    assert end["error"]["message"] == "The trainer was killed by signal 9 (SIGKILL)."
    spool = worker.models_dir / "jobs" / str(job.job_id) / "attempt-1.jsonl"
    written = [line for line in spool.read_text().splitlines() if '"kind":"log"' in line]
    assert len(portal.messages(job)) == end["log_seq"] == len(written)


@pytest.mark.processes
def test_a_trainer_that_hangs_is_ended_as_stalled_and_the_worker_goes_on(
    portal: FakePortal, start_process: StartProcess
) -> None:
    """F-05: the limit is 2 s here."""
    portal.heartbeat_seconds = 0.2
    worker = start_process("--stall-minutes", str(2 / 60), **SLOW)
    job = portal.enqueue(hyperparameters=LONG)
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    worker.trainer().suspend()
    beats = len(portal.sent_to("heartbeat"))
    portal.wait_for(lambda: portal.ends)
    end = portal.ends[0]
    assert (end["outcome"], end["error"]["code"]) == ("failed", "stalled")
    assert len(portal.sent_to("heartbeat")) - beats >= 3
    following = portal.enqueue()
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert (portal.ends[1]["job_id"], portal.ends[1]["outcome"]) == (following.job_id, "completed")


def test_a_released_job_goes_on_at_the_very_step(portal: FakePortal, start_worker: Start, slow: None) -> None:
    job = portal.enqueue(hyperparameters=LONG)
    first = start_worker()
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    first.context.orders.request_stop()
    first.wait()
    stopped_at = steps_of(portal, job, 1)[-1]
    assert [entry for entry in portal.progress if entry["attempt"] == 1][-1]["checkpoint_step"] == stopped_at
    take_up(portal, job)
    start_worker()
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert first_progress(portal, 2)["resumed_from_step"] == stopped_at
    assert steps_of(portal, job, 2) == list(range(stopped_at + 1, STEPS + 1))


@pytest.mark.parametrize("damaged", [1, 2])
def test_damaged_checkpoints_are_skipped_with_a_line(
    portal: FakePortal, start_worker: Start, slow: None, tmp_path: Path, damaged: int
) -> None:
    """F-39: the one before is used; none valid = the beginning."""
    job = portal.enqueue(hyperparameters=LONG)
    first = start_worker()
    portal.wait_for(lambda: len(portal.points.get((job.job_id, 1), [])) >= 3)
    first.context.orders.request_stop()
    first.wait()
    kept = checkpoints_in(tmp_path / "models", job)
    for step in kept[-damaged:]:
        state = tmp_path / "models" / "jobs" / str(job.job_id) / "checkpoints" / f"step-{step}" / "state.json"
        state.write_bytes(state.read_bytes()[:-1])
    take_up(portal, job)
    start_worker()
    portal.wait_for(lambda: len(portal.ends) == 2)
    expected = kept[0] if damaged == 1 else 0
    assert first_progress(portal, 2)["resumed_from_step"] == expected
    assert steps_of(portal, job, 2)[0] == expected + 1
    skipped = [line for line in portal.messages(job, attempt=2) if line.startswith("Checkpoint step-")]
    assert [line.split()[1] for line in skipped] == [f"step-{step}" for step in reversed(kept[-damaged:])]


def test_a_completed_job_leaves_no_checkpoint(portal: FakePortal, start_worker: Start, tmp_path: Path) -> None:
    job = portal.enqueue()
    worker = start_worker()
    portal.wait_for(lambda: portal.ends)
    worker.stop()
    assert checkpoints_in(tmp_path / "models", job) == []


# --- the choice, without a worker


@pytest.fixture
def job(portal: FakePortal) -> ClaimedJob:
    return portal.enqueue(attempt=2)


def write(folder: Path, job: ClaimedJob, step: int) -> Path:
    def write_files(unfinished: Path) -> None:
        (unfinished / WEIGHTS).write_bytes(b"weights")
        (unfinished / TRAINING).write_bytes(b"moments")

    state = {"identity": job_identity(job), "step": step, "best_step": step}
    return write_checkpoint(folder / "checkpoints", state, write_files=write_files)


def test_only_the_same_training_is_resumed(job: ClaimedJob, tmp_path: Path) -> None:
    write(tmp_path, job, 10)
    again = job.model_copy(update={"attempt": 3, "held": True, "resume_checkpoint_step": 10, "lease_seconds": 5.0})
    assert find_resume_step(tmp_path, again, on_skipped=pytest.fail) == 10
    for change in (
        {"run_id": 999},
        {"hyperparameters": {"epochs": 7}},
        {"base_model": "another"},
        {"dataset": job.dataset.model_copy(update={"table_sha256": "e" * 64})},
    ):
        shutil.rmtree(tmp_path / "checkpoints", ignore_errors=True)
        write(tmp_path, job, 10)
        said: list[str] = []
        assert find_resume_step(tmp_path, job.model_copy(update=change), on_skipped=said.append) == 0
        assert len(said) == 1


def test_a_first_attempt_begins_at_the_beginning_and_leaves_nothing_older(job: ClaimedJob, tmp_path: Path) -> None:
    first = job.model_copy(update={"attempt": 1})
    write(tmp_path, first, 10)
    assert find_resume_step(tmp_path, first, on_skipped=pytest.fail) == 0
    assert not (tmp_path / "checkpoints").exists()


def test_after_a_failure_the_weights_stay_and_the_optimizer_goes(job: ClaimedJob, tmp_path: Path) -> None:
    folder = write(tmp_path, job, 10)
    put_away(tmp_path, is_completed=False)
    assert (folder / WEIGHTS).exists()
    assert not (folder / TRAINING).exists()
    put_away(tmp_path, is_completed=True)
    assert not folder.exists()
