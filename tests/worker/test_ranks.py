"""Several processes of one training: one tree, whose end has one reason, and of which nothing stays behind."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bert_training.worker.trainer_orders import CANCEL, spool_path
from bert_training.worker.trainer_process import SIMULATION_VARIABLE, TrainerProcess, trainer_environment
from tests.worker import playing_ranks

PATIENCE_SECONDS = 20.0


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Tree:
    """A trainer of two processes, and what it left."""

    def __init__(self, folder: Path, **hyperparameters: str) -> None:
        self.folder = folder / "jobs" / "1"
        self.seen = folder / "seen"
        for made in (self.folder, self.seen):
            made.mkdir(parents=True)
        self.trainer = TrainerProcess(self.folder, 1)
        job = {"attempt": 1, "simulate": True, "seen": str(self.seen), "hyperparameters": hyperparameters}
        environ = trainer_environment(os.environ, secrets=(), offline=True)
        self.trainer.start(job, environ=environ | {SIMULATION_VARIABLE: playing_ranks.MODULE})
        assert self.trainer._process is not None
        self.rank_0 = psutil.Process(self.trainer._process.pid)

    def followers(self) -> dict[int, psutil.Process]:
        """Return the further processes by rank, once all of them work."""
        wait_for(lambda: len(list(self.seen.iterdir())) == playing_ranks.COUNT - 1)
        found = (path.name.split("-") for path in self.seen.iterdir())
        return {int(rank): psutil.Process(int(pid)) for rank, pid in found}

    def wait(self) -> int:
        """Wait for the end of rank 0; returns its exit code."""
        wait_for(lambda: not self.trainer.is_alive)
        return self.trainer.close()

    @property
    def log(self) -> str:
        return spool_path(self.folder, 1).read_text(encoding="utf-8")


@pytest.fixture
def start_tree(tmp_path: Path) -> Iterator[Callable[..., Tree]]:
    trees: list[Tree] = []

    def start(**hyperparameters: str) -> Tree:
        trees.append(Tree(tmp_path, **hyperparameters))
        return trees[-1]

    yield start
    for tree in trees:
        tree.trainer.kill()


def test_an_order_ends_all_processes(start_tree: Callable[..., Tree]) -> None:
    tree = start_tree()
    followers = tree.followers()
    environments = [process.environ() for process in followers.values()]
    tree.trainer.tell(CANCEL)
    assert tree.wait() == 0
    assert tree.trainer.read_outcome() == {"outcome": "canceled"}
    wait_for(lambda: not any(map(is_alive, followers.values())))
    assert [(own["RANK"], own["LOCAL_RANK"], own["WORLD_SIZE"]) for own in environments] == [("1", "1", "2")]
    assert {own["OMP_NUM_THREADS"] for own in environments} == {os.environ.get("OMP_NUM_THREADS") or "1"}


def test_a_process_that_is_killed_ends_all_with_its_signal(start_tree: Callable[..., Tree]) -> None:
    tree = start_tree()
    tree.followers()[1].kill()
    assert tree.wait() == -signal.SIGKILL
    assert "Rank 1 ended with signal 9 (SIGKILL)" in tree.log


def test_when_rank_0_is_killed_none_stays(start_tree: Callable[..., Tree]) -> None:
    tree = start_tree()
    followers = tree.followers()
    tree.rank_0.kill()
    wait_for(lambda: not any(map(is_alive, followers.values())))


def test_the_reason_that_a_process_names_is_that_of_all(start_tree: Callable[..., Tree]) -> None:
    tree = start_tree(rank_1="names its failure")
    assert tree.wait() == 0
    outcome = tree.trainer.read_outcome()
    assert outcome is not None
    assert (outcome["code"], outcome["message"]) == ("gpu_out_of_memory", "halve batch_size")


@pytest.mark.long  # waits for whoever may have died first
@pytest.mark.parametrize("word", ["crashes", "lost connection"])
def test_a_process_that_crashes_shows_its_last_line(start_tree: Callable[..., Tree], word: str) -> None:
    """Even where rank 0 notices first that a connection was lost."""
    tree = start_tree(rank_1=word)
    assert tree.wait() == 1
    assert "ZeroDivisionError: rank 1 divided" in tree.trainer.last_lines
    assert "Rank 1 ended with exit code 1" in tree.log
