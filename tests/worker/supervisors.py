"""Runs supervisors for tests: inside this process on a fast clock, or as the real program."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from bert_training.worker.__main__ import make_context
from bert_training.worker.exits import ExitCode
from bert_training.worker.loop import ClaimLoop
from bert_training.worker.model_store import ModelStore
from bert_training.worker.options import Options, TokenSource
from bert_training.worker.tails import Tails
from bert_training.worker.timing import Timing
from tests.worker.fake_portal import PATIENCE_SECONDS

PROJECT = Path(__file__).resolve().parents[2]
FAST = 20.0  # seconds of the worker's clock in one real second


def fast_timing() -> Timing:
    """Return a clock on which every wait is FAST times shorter."""
    return Timing(monotonic=lambda: time.monotonic() * FAST, sleep=lambda seconds: time.sleep(seconds / FAST))


class Portal(Protocol):
    """Where a worker is sent to, and with which token: a fake portal, or a real one behind a bad line."""

    token: str

    @property
    def url(self) -> str: ...


@dataclass
class Address:
    """The plainest portal: only where it is."""

    url: str
    token: str


def make_options(portal: Portal, models_dir: Path, **changes: Any) -> Options:
    """Return options of a --dry-run worker."""
    facts: dict[str, Any] = {
        "api_url": f"{portal.url}/bert-training/api",
        "token": TokenSource(portal.token),
        "models_dir": models_dir,
        "poll_interval": 5.0,
        "dry_run": True,
        "debug": False,
        "device": "cpu",
        "offline": True,
        "base_models_dir": None,
        "grace": 60.0,
        "stall_seconds": 1800.0,
    }
    return Options(**(facts | changes))


class LocalSupervisor:
    """A supervisor on a thread; `code` holds its exit code once it has ended."""

    def __init__(self, portal: Portal, models_dir: Path, *, timing: Timing | None = None, **changes: Any) -> None:
        self.store = ModelStore(models_dir)
        options = make_options(portal, models_dir, **changes)
        self.context = make_context(options, self.store, timing or fast_timing())
        self.code: ExitCode | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask to stop as a signal would, twice, so that the test ends soon."""
        if self._thread.is_alive():
            self.context.orders.request_stop()
            self.context.orders.request_stop()
        self.wait()

    def wait(self) -> ExitCode | None:
        """Wait for the end; returns the exit code."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the supervisor does not end"
        return self.code

    def _run(self) -> None:
        self.context.heartbeat.start()
        self.context.heartbeat.forgetting.await_first_orders(lambda: self.context.orders.is_stopping)
        tails = Tails(self.context)
        tails.start()
        try:
            self.code = ClaimLoop(self.context, after_job=tails.collect).run()
        finally:
            tails.stop()
            self.context.heartbeat.stop()
            self.context.client.close()


class RealSupervisor:
    """A supervisor as a process of its own; what it prints goes to a file."""

    kind: tuple[str, ...] = ("--dry-run",)

    def __init__(self, portal: Portal, models_dir: Path, *flags: str, **environ: str) -> None:
        models_dir.parent.mkdir(parents=True, exist_ok=True)
        self.models_dir = models_dir
        self.output_path = models_dir.parent / f"output-{time.monotonic_ns()}.txt"
        variables = {"BERT_TOKEN": portal.token, "BERT_API_URL": portal.url, "BERT_MODELS_DIR": str(models_dir)}
        arguments = [sys.executable, "-m", "bert_training.worker", *self.kind, "--poll-interval", "0.2", *flags]
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                arguments, cwd=PROJECT, env=os.environ | variables | environ, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def output(self) -> str:
        """Return everything printed so far."""
        return self.output_path.read_text(encoding="utf-8")

    def trainer(self) -> psutil.Process:
        """Return the trainer child that runs now."""
        return psutil.Process(self.process.pid).children()[0]

    def interrupt(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class TrainingSupervisor(RealSupervisor):
    """A supervisor as a process of its own that trains real runs."""

    kind = ()
