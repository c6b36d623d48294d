"""One run trained by two processes through the real program: the run of one process, whatever happens to them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file

from bert_training.contract.messages import ClaimedJob
from bert_training.worker.ballast import throw_out
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import TrainingSupervisor
from tests.worker.test_trainer import Bench

# Each loads torch in two or four processes: 30 s on a quiet machine with two cores.
pytestmark = [pytest.mark.long, pytest.mark.processes, pytest.mark.timeout(400)]

# Adam divides by the size of a gradient: with the usual epsilon it makes weights that have none (the biases of keys)
# follow the last bit of the arithmetic.
EXACT = {"precision": "fp32", "dropout": 0.0, "adam_epsilon": 1e-4}
SETTINGS = {"epochs": 3, "batch_size": 4, "gradient_accumulation_steps": 2, "max_length": 16, "learning_rate": 1e-3}
ENDLESS = {**SETTINGS, "epochs": 1000, "early_stopping_patience": 0}
PATIENCE_SECONDS = 120.0


class Pc:
    """A worker with two processes a run, and the portal that it works for."""

    def __init__(self, portal: FakePortal, bench: Bench, models_dir: Path) -> None:
        self.portal = portal
        self.bench = bench
        self.models_dir = models_dir
        portal.tables[1] = bench.table.read_bytes()
        self.started: list[TrainingSupervisor] = []

    def start(self, processes: int) -> TrainingSupervisor:
        flags = ("--offline", "--device", "cpu", "--base-models-dir", self.bench.job()["base_models_dir"])
        worker = TrainingSupervisor(self.portal, self.models_dir, *flags, "--processes", str(processes))
        self.started.append(worker)
        return worker

    def enqueue(self, **hyperparameters: Any) -> ClaimedJob:
        names = ("task", "base_model", "split_digest")
        facts = {name: value for name, value in self.bench.job().items() if name in names}
        return self.portal.enqueue(**facts, simulate=False, hyperparameters=hyperparameters)

    def run(self, processes: int, **hyperparameters: Any) -> ClaimedJob:
        """Train one run to its end."""
        worker, ends = self.start(processes), len(self.portal.ends)
        job = self.enqueue(**hyperparameters)
        self.portal.wait_for(lambda: len(self.portal.ends) > ends, seconds=PATIENCE_SECONDS)
        worker.interrupt()
        worker.wait()
        assert self.portal.ends[-1]["outcome"] == "completed", self.portal.messages(job)
        return job

    def wait_for_step(self, step: int) -> None:
        told = self.portal.progress
        self.portal.wait_for(lambda: told and told[-1]["step"] >= step, seconds=PATIENCE_SECONDS)

    def weights(self, job: ClaimedJob) -> dict[str, Any]:
        return load_file(self.models_dir / "jobs" / str(job.job_id) / "final" / "model.safetensors")


@pytest.fixture
def pc(portal: FakePortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pc]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = Pc(portal, Bench(tmp_path), tmp_path / "models")
    yield made
    for worker in made.started:
        worker.kill()
    throw_out(made.models_dir)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def tree_of(worker: TrainingSupervisor) -> list[psutil.Process]:
    """Return the processes of the run, rank 0 first."""
    rank_0 = worker.trainer()
    wait_until(lambda: len(rank_0.children()) == 1)
    return [rank_0, *rank_0.children()]


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# of three rows one process has two and the other one
@pytest.mark.parametrize(("parallelism", "rows"), [("ddp", 4), ("fsdp", 1)])
def test_two_processes_give_the_losses_figures_and_weights_of_one(pc: Pc, parallelism: str, rows: int) -> None:
    settings = {**SETTINGS, **EXACT, "batch_size": rows, "gradient_accumulation_steps": 3, "parallelism": parallelism}
    one, two = (pc.run(count, **settings) for count in (1, 2))
    lines = "\n".join(pc.portal.messages(two))
    assert "2 processes train together" in lines
    assert ("Each process keeps 1/2 of weights" in lines) == (parallelism == "fsdp")
    expected, points = pc.portal.points[one.job_id, 1], pc.portal.points[two.job_id, 1]
    assert len(points) == len(expected) > 9
    for point, other in zip(points, expected, strict=True):
        assert (point["step"], point["split"]) == (other["step"], other["split"])
        assert point["values"] == pytest.approx(other["values"], abs=1e-5)
    for name, weight in pc.weights(one).items():
        assert pc.weights(two)[name].numpy() == pytest.approx(weight.numpy(), abs=1e-5), name


@pytest.mark.parametrize("parallelism", ["ddp", "fsdp"])
def test_killed_and_resumed_two_processes_end_as_if_they_never_stopped(pc: Pc, parallelism: str) -> None:
    """With dropout: each process goes on with its own chance."""
    settings = {**ENDLESS, "epochs": 20, "save_steps": 5, "parallelism": parallelism}
    undisturbed = pc.run(2, **settings)
    worker = pc.start(2)
    job = pc.enqueue(**settings)
    pc.portal.progress.clear()
    pc.portal.wait_for(lambda: pc.portal.progress and pc.portal.progress[-1]["checkpoint_step"] >= 10, PATIENCE_SECONDS)
    tree = tree_of(worker)
    worker.kill()
    wait_until(lambda: all(map(has_ended, tree)))
    pc.portal.held = job.model_copy(update={"attempt": 2, "held": True})
    pc.start(2)
    pc.portal.wait_for(lambda: len(pc.portal.ends) == 2, seconds=PATIENCE_SECONDS)
    first, second = (end["result"] for end in pc.portal.ends)
    assert pc.portal.ends[1]["attempt"] == 2
    assert second == first
    assert pc.weights(job).keys() == pc.weights(undisturbed).keys()


def test_a_killed_process_fails_the_run_by_name_and_an_order_ends_all(pc: Pc) -> None:
    worker = pc.start(2)
    job = pc.enqueue(**ENDLESS)
    pc.wait_for_step(3)
    tree = tree_of(worker)
    tree[1].kill()
    pc.portal.wait_for(lambda: pc.portal.ends, seconds=PATIENCE_SECONDS)
    wait_until(lambda: all(map(has_ended, tree)))
    assert pc.portal.ends[0]["error"]["code"] == "killed"
    assert "Rank 1 ended with signal 9 (SIGKILL): the other processes are ended." in pc.portal.messages(job)

    pc.portal.progress.clear()
    pc.enqueue(**ENDLESS)
    pc.wait_for_step(3)
    tree = tree_of(worker)
    pc.portal.directive = "cancel"
    pc.portal.wait_for(lambda: len(pc.portal.ends) == 2, seconds=PATIENCE_SECONDS)
    wait_until(lambda: all(map(has_ended, tree)))
    assert pc.portal.ends[1]["outcome"] == "canceled"
