"""Faults of the PC that trains: dying trainers, full disks, no memory, torn files. Real processes, fake portal."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bert_training.contract.messages import ClaimedJob
from bert_training.ml.keeping.checkpoints import newest_checkpoint
from bert_training.worker.ballast import BALLAST_BYTES, NAME
from bert_training.worker.resume import job_identity
from bert_training.worker.simulation import SPEED_VARIABLE
from bert_training.worker.spool import LOG, METRIC, SpoolReader
from bert_training.worker.trainer_orders import spool_path
from bert_training.worker.trainer_process import SIMULATION_VARIABLE
from tests.worker.fake_portal import FakePortal, error
from tests.worker.faulty_trainer import MODULE
from tests.worker.supervisors import RealSupervisor, TrainingSupervisor

pytestmark = pytest.mark.processes

Start = Callable[..., RealSupervisor]
SLOW = {SPEED_VARIABLE: "100"}  # 5 epochs last 2 s
LONG = {"epochs": 5}
MEBIBYTE = 1024 * 1024
DISK_BYTES = 40 * MEBIBYTE
MEMORY_BYTES = 160 * MEBIBYTE
MEMORY_LIMITS = (  # control groups of version 1 and 2: where one is made, and its limit
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)


@pytest.fixture
def portal() -> Iterator[FakePortal]:
    with FakePortal() as portal:
        yield portal


@pytest.fixture
def start(portal: FakePortal, tmp_path: Path) -> Iterator[Start]:
    """Start a real --dry-run worker whose trainers have the fault that their job names."""
    started: list[RealSupervisor] = []

    def start(*flags: str, **environ: str) -> RealSupervisor:
        variables = {SPEED_VARIABLE: "0", SIMULATION_VARIABLE: MODULE} | environ
        started.append(RealSupervisor(portal, tmp_path / "models", *flags, **variables))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        (worker.models_dir / NAME).unlink(missing_ok=True)


@pytest.fixture
def small_disk(tmp_path: Path, start: Start) -> Iterator[Path]:
    """Let the models-dir be a disk of DISK_BYTES."""
    models = tmp_path / "models"
    models.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(models)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root on Linux")
    yield models
    subprocess.run(["umount", "--lazy", str(models)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Take all room of a disk but `leave` bytes."""
    filler = disk / "filler"
    free = os.statvfs(disk)
    too_much = free.f_bavail * free.f_frsize - leave
    with filler.open("ab") as file:
        if too_much > 0:
            os.posix_fallocate(file.fileno(), file.tell(), too_much)
    return filler


def spool_of(worker: RealSupervisor, job: ClaimedJob, attempt: int = 1) -> Path:
    return spool_path(worker.models_dir / "jobs" / str(job.job_id), attempt)


def in_spool(spool: Path, kind: str = LOG) -> list[dict[str, Any]]:
    records = SpoolReader(spool, kind).read(end=spool.stat().st_size, most=10**7, most_bytes=10**9)
    return [record.content for record in records]


def take_up(portal: FakePortal, job: ClaimedJob, *, attempt: int = 2, **changes: Any) -> None:
    """Let the portal hold the job as the next attempt, as it does after a restart of the worker."""
    portal.held = job.model_copy(update={"attempt": attempt, "held": True, **changes})


def assert_whole(portal: FakePortal, worker: RealSupervisor, job: ClaimedJob, attempt: int = 1) -> None:
    """Assert that the portal has every line and point of an attempt's spool, in order."""
    spool = spool_of(worker, job, attempt)
    portal.wait_for(lambda: len(portal.messages(job, attempt)) >= len(in_spool(spool)))
    assert portal.messages(job, attempt) == [line["message"] for line in in_spool(spool)]
    assert len(portal.points.get((job.job_id, attempt), [])) == len(in_spool(spool, METRIC))


# --- the trainer dies


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("exit@5", "crashed", "The trainer ended with exit code 1"),
        ("segfault@5", "killed", "The trainer was killed by signal 11 (SIGSEGV)."),
    ],
)
def test_a_trainer_that_dies_is_a_failure_with_all_that_it_said(
    portal: FakePortal, start: Start, fault: str, code: str, words: str
) -> None:
    """F-04: its last lines of standard error too."""
    job = portal.enqueue(hyperparameters={"fault": fault})
    worker = start()
    portal.wait_for(lambda: portal.ends)
    end = portal.ends[0]
    assert (end["outcome"], end["error"]["code"]) == ("failed", code)
    assert end["error"]["message"].startswith(words)
    assert "step 5 of 40: loss" in "\n".join(portal.messages(job))
    assert "  line 59 before the end" in portal.messages(job)
    assert_whole(portal, worker, job)


def test_a_run_that_kills_its_worker_leaves_a_log_that_the_next_start_delivers(
    portal: FakePortal, start: Start
) -> None:
    """F-54, the worker's half: the portal counts the losses."""
    job = portal.enqueue(hyperparameters={"fault": "kill-supervisor@1"})
    worker = start()
    assert worker.wait() == -9
    portal.held = None
    worker = start()
    assert_whole(portal, worker, job)
    assert portal.ends == []


@pytest.mark.long  # torch is loaded, as by a real training
@pytest.mark.parametrize(
    ("fault", "code", "advice"),
    [("gpu-memory", "gpu_out_of_memory", "Try batch_size 8"), ("nan", "nonfinite_loss", "loss became nan")],
)
def test_what_training_can_name_is_named_and_the_worker_goes_on(
    portal: FakePortal, start: Start, fault: str, code: str, advice: str
) -> None:
    """F-43, F-44: reason, advice, and no second try; a loss that is no number travels as null."""
    job, following = portal.enqueue(hyperparameters={"fault": fault}), portal.enqueue()
    worker = start()
    portal.wait_for(lambda: len(portal.ends) == 2, seconds=60)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", code)
    assert advice in portal.ends[0]["error"]["message"]
    assert (portal.ends[1]["job_id"], portal.ends[1]["outcome"]) == (following.job_id, "completed")
    points = portal.points.get((job.job_id, 1), [])
    assert [(point["values"]["loss"], point["nonfinite"]) for point in points] == [(None, ["loss"])] * len(points)
    assert len(points) == (fault == "nan")
    assert_whole(portal, worker, job)


# --- the disk is full


def test_a_full_disk_ends_the_run_with_its_reason_and_every_line_that_was_written(
    portal: FakePortal, start: Start, small_disk: Path
) -> None:
    """F-29: the ballast makes room for the last words; nothing is taken until there is room again."""
    portal.heartbeat_seconds = 0.2
    worker = start()
    portal.wait_for(lambda: portal.sent_to("/jobs/claim"))
    assert (small_disk / NAME).stat().st_size == BALLAST_BYTES
    filler = fill(small_disk, leave=MEBIBYTE)
    job = portal.enqueue(hyperparameters={"fault": "burst"})
    portal.wait_for(lambda: portal.ends)
    end = portal.ends[0]
    assert (end["outcome"], end["error"]["code"]) == ("failed", "disk_full")
    assert end["error"]["message"].startswith("The disk is full ([Errno 28] No space left on device).")
    assert str(worker.models_dir) in end["error"]["message"]
    assert "disk_full" in portal.messages(job)[-1]
    assert_whole(portal, worker, job)
    assert not (small_disk / NAME).exists()

    os.truncate(filler, filler.stat().st_size - BALLAST_BYTES // 2)  # some room, but not for the ballast
    following = portal.enqueue()
    claims, beats = len(portal.sent_to("/jobs/claim")), len(portal.sent_to("heartbeat"))
    portal.wait_for(lambda: len(portal.sent_to("heartbeat")) > beats + 3)
    assert len(portal.sent_to("/jobs/claim")) == claims
    assert "no job is taken" in worker.output
    filler.unlink()
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert (portal.ends[1]["job_id"], portal.ends[1]["outcome"]) == (following.job_id, "completed")
    assert (small_disk / NAME).exists()


def test_a_disk_that_stays_full_costs_the_last_words_but_not_the_reason(
    portal: FakePortal, start: Start, small_disk: Path
) -> None:
    """F-29: somebody else takes the ballast's room at once."""
    worker = start()
    portal.wait_for(lambda: portal.sent_to("/jobs/claim"))
    (small_disk / NAME).rename(small_disk / "taken")
    fill(small_disk, leave=MEBIBYTE)
    (small_disk / NAME).touch()
    job = portal.enqueue(hyperparameters={"fault": "burst"})
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", "disk_full")
    assert_whole(portal, worker, job)


def test_a_checkpoint_that_finds_no_room_is_never_used_and_the_one_before_stays(
    portal: FakePortal, start: Start, small_disk: Path
) -> None:
    """F-30."""
    job = portal.enqueue(hyperparameters={"fault": "large-checkpoints", **LONG})
    worker = start(**SLOW)
    portal.wait_for(lambda: portal.progress and portal.progress[-1]["checkpoint_step"])
    while not portal.ends:  # again and again: the room of a checkpoint that is removed is not for the next one
        with contextlib.suppress(OSError):  # the worker took some of the room meanwhile
            fill(small_disk, leave=2 * MEBIBYTE)
        time.sleep(0.01)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", "disk_full")
    checkpoints = worker.models_dir / "jobs" / str(job.job_id) / "checkpoints"
    newest = newest_checkpoint(checkpoints, job_identity(job), on_skipped=pytest.fail)
    assert newest is not None
    assert newest.step == portal.progress[-1]["checkpoint_step"]
    assert [path.name for path in checkpoints.iterdir() if not path.name.startswith("step-")] == []
    assert_whole(portal, worker, job)


# --- no memory


@pytest.fixture
def memory_group() -> Iterator[Path]:
    """A control group in which MEMORY_BYTES are all there is."""
    root, limit = next((place for place in MEMORY_LIMITS if place[0].is_dir()), MEMORY_LIMITS[1])
    group = root / f"test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(MEMORY_BYTES))
    except OSError as problem:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no memory control group can be made here: {problem}")
    yield group
    for pid in (group / "cgroup.procs").read_text().split():
        psutil.Process(int(pid)).kill()
        psutil.Process(int(pid)).wait(10)
    group.rmdir()


def test_a_trainer_that_the_kernel_kills_for_its_memory_is_out_of_memory(
    portal: FakePortal, memory_group: Path, start: Start
) -> None:
    """F-42: the supervisor lives, says why, and takes the next job."""
    worker = start()
    portal.wait_for(lambda: portal.sent_to("/jobs/claim"))
    (memory_group / "cgroup.procs").write_text(str(worker.process.pid))
    portal.enqueue(hyperparameters={"fault": "memory"})
    following = portal.enqueue()
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", "out_of_memory")
    assert "signal 9 (SIGKILL)" in portal.ends[0]["error"]["message"]
    assert (portal.ends[1]["job_id"], portal.ends[1]["outcome"]) == (following.job_id, "completed")
    worker.kill()


def test_a_trainer_that_is_refused_memory_is_out_of_memory(portal: FakePortal, start: Start) -> None:
    """F-42: as under `ulimit -v`."""
    portal.enqueue(hyperparameters={"fault": "address-space"})
    start()
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["outcome"], portal.ends[0]["error"]["code"]) == ("failed", "out_of_memory")


# --- the worker is stopped


@pytest.mark.parametrize(
    "phase",
    [
        "slow-checkpoint",
        pytest.param("tokenizing", marks=pytest.mark.long),
        pytest.param("evaluating", marks=pytest.mark.long),
        pytest.param("saving", marks=pytest.mark.long),
    ],
)
def test_stopped_in_any_phase_a_worker_hands_back_and_goes_on_after_its_next_start(
    portal: FakePortal, start: Start, phase: str
) -> None:
    """F-52: the download and the last lines have tests of their own, steps have one in test_processes.py."""
    job = portal.enqueue(hyperparameters={"fault": phase})
    worker = start(**SLOW)
    shown = "training" if phase == "slow-checkpoint" else phase
    portal.wait_for(lambda: any(entry["phase"] == shown for entry in portal.progress))
    worker.interrupt()
    assert worker.wait() == 0
    assert [end["outcome"] for end in portal.ends] == ["released"]
    assert_whole(portal, worker, job)
    take_up(portal, job)
    worker = start(**{SIMULATION_VARIABLE: "bert_training.worker.simulation"})
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert (portal.ends[1]["attempt"], portal.ends[1]["outcome"]) == (2, "completed")
    first = next(entry for entry in portal.progress if entry["attempt"] == 2)
    assert first["resumed_from_step"] == (10 if phase == "slow-checkpoint" else 0)


def test_stopped_while_it_downloads_a_worker_hands_back(portal: FakePortal, tmp_path: Path) -> None:
    """F-52."""
    portal.enqueue(simulate=False)
    portal.inject("/download", error(503, "unavailable"), times=1_000_000)
    worker = TrainingSupervisor(portal, tmp_path / "models")
    portal.wait_for(lambda: portal.sent_to("/download"))
    worker.interrupt()
    assert worker.wait() == 0
    assert [end["outcome"] for end in portal.ends] == ["released"]


def test_stopped_while_its_last_lines_are_refused_a_worker_hands_back_before_its_grace_ends(
    portal: FakePortal, start: Start
) -> None:
    """F-52: no end is taken without its log, so the job is released; the log follows after the next start."""
    job = portal.enqueue()
    portal.inject("/logs/batch", error(503, "storage_full"), times=1_000_000)
    worker = start("--grace", "3")
    portal.wait_for(lambda: portal.progress and portal.progress[-1]["step"] == 40)
    began = time.monotonic()
    worker.interrupt()
    assert worker.wait() == 0
    assert time.monotonic() - began < 5
    assert [end["outcome"] for end in portal.ends] == ["released"]
    portal.heal()
    take_up(portal, job)
    worker = start()
    portal.wait_for(lambda: len(portal.ends) == 2)
    assert portal.ends[1]["outcome"] == "completed"
    assert next(entry for entry in portal.progress if entry["attempt"] == 2)["resumed_from_step"] == 40
    assert_whole(portal, worker, job)


# --- the power goes


def test_lines_that_a_power_cut_took_leave_no_gap(portal: FakePortal, start: Start) -> None:
    """F-58: what was synced is numbered on without a gap, a torn line is dropped, the next attempt begins at 1."""
    job = portal.enqueue(hyperparameters=LONG)
    worker = start(**SLOW)
    portal.wait_for(lambda: len(portal.messages(job)) > 20)
    trainer = worker.trainer()
    portal.inject("/logs/batch", error(503, "unavailable"), times=1_000_000)
    written = spool_of(worker, job).stat().st_size
    wait_until_longer(spool_of(worker, job), written + 2000)
    worker.kill()
    trainer.wait(10)
    os.truncate(spool_of(worker, job), written + 1000)  # in the middle of a line, behind what the portal has
    take_up(portal, job)
    portal.heal()
    worker = start()
    portal.wait_for(lambda: portal.ends)
    assert_whole(portal, worker, job, attempt=1)
    assert_whole(portal, worker, job, attempt=2)
    steps = [message.split()[1] for message in portal.messages(job) if message.startswith("step ")]
    assert steps == [str(number) for number in range(1, len(steps) + 1)]


def wait_until_longer(path: Path, size: int) -> None:
    deadline = time.monotonic() + 10
    while path.stat().st_size < size:
        assert time.monotonic() < deadline
        time.sleep(0.01)
