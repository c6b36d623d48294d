"""Fixtures of the worker's tests: a fake portal, a supervisor inside this process on a fast clock, real processes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bert_training.worker.ballast import throw_out
from bert_training.worker.simulation import SPEED_VARIABLE
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import LocalSupervisor, RealSupervisor


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePortal]:
    """A portal with an empty queue; simulations play as fast as they can."""
    monkeypatch.setenv(SPEED_VARIABLE, "0")
    with FakePortal() as portal:
        yield portal


@pytest.fixture
def start_worker(portal: FakePortal, tmp_path: Path) -> Iterator[Callable[..., LocalSupervisor]]:
    """Start a --dry-run supervisor as a thread of this process, its clock running 20 times as fast."""
    started: list[LocalSupervisor] = []

    def start(**settings: Any) -> LocalSupervisor:
        started.append(LocalSupervisor(portal, tmp_path / "models", **settings))
        started[-1].start()
        return started[-1]

    yield start
    for supervisor in started:
        supervisor.stop()
    throw_out(tmp_path / "models")


@pytest.fixture
def start_process(portal: FakePortal, tmp_path: Path) -> Iterator[Callable[..., RealSupervisor]]:
    """Start `python -m bert_training.worker` as a real process."""
    started: list[RealSupervisor] = []

    def start(*flags: str, **environ: str) -> RealSupervisor:
        started.append(RealSupervisor(portal, tmp_path / "models", *flags, **environ))
        return started[-1]

    yield start
    for supervisor in started:
        supervisor.kill()
    throw_out(tmp_path / "models")
