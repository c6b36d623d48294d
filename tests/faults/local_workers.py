"""An office whose workers run inside this process, so that a test can step their clock and shorten their patience."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bert_training.worker.options import TokenSource
from bert_training.worker.timing import Timing, utc_now
from tests.faults.checker import violations
from tests.faults.history import call_of
from tests.faults.proxy import Exchange
from tests.faults.stage import BASE_MODEL, Computer, Stage
from tests.processes import wait_until
from tests.worker.supervisors import Address, LocalSupervisor

FAST = 10.0  # seconds of a worker's clock in one real second
SOON = 60.0  # what a test waits for comes within some seconds; a busy machine needs more


def fast_timing(utc_now: Callable[[], datetime] = utc_now) -> Timing:
    """Return a clock on which every wait is FAST times shorter."""
    return Timing(lambda: time.monotonic() * FAST, lambda seconds: time.sleep(seconds / FAST), utc_now)


class Line:
    """One computer of the office for one test: its proxy, and the supervisors that run behind it."""

    def __init__(self, stage: Stage, computer: Computer) -> None:
        self.proxy = computer.proxy
        self.models = computer.models
        self.token = TokenSource(computer.token)
        self._address = Address(computer.proxy.url, computer.token)
        self._began = len(computer.proxy.exchanges)
        self._started: list[LocalSupervisor] = []

    def start(self, **changes: Any) -> LocalSupervisor:
        """Start a worker."""
        settings = {"timing": fast_timing(), **changes}
        self._started.append(LocalSupervisor(self._address, self.models, **settings))
        self._started[-1].start()
        return self._started[-1]

    def sent(self, part: str = "") -> list[Exchange]:
        """Return this test's exchanges whose path contains `part`, oldest first."""
        return [exchange for exchange in self.proxy.exchanges[self._began :] if part in exchange.path]

    def close(self) -> None:
        """End all faults and workers."""
        self.proxy.clear()
        for supervisor in self._started:
            supervisor.stop()


class Office(Stage):
    """The stage, and what is asked of it again and again."""

    def start_run(self, *, epochs: int = 1, simulate: bool = True) -> int:
        """Queue a run; a simulated one has 40 steps an epoch."""
        wanted = {"base_model": BASE_MODEL, "simulate": simulate, "hyperparameters": {"epochs": epochs}}
        return int(self.portal.create_run(dataset=self.dataset, **wanted)["id"])

    def step_of(self, run: int) -> int:
        """Return the step that the portal shows."""
        return int(self.portal.run(run)["progress"]["step"])

    def job_number(self, run: int) -> int:
        """Return the number of a run's job."""
        ((job,),) = self.execute("SELECT id FROM bert_jobs WHERE run_id = %s", run)
        return int(job)

    def moves(self, run: int) -> list[str]:
        """Return the statuses that a run's job went through, "queued" being the first."""
        job = self.job_number(run)
        changes = self.execute("SELECT after FROM fault_changes WHERE kind = 'job' AND job = %s ORDER BY id", job)
        return [status for (status,) in changes]

    def await_step(self, run: int, step: int) -> None:
        """Wait until the portal shows a step."""
        wait_until(lambda: self.step_of(run) >= step, seconds=SOON)

    def await_status(self, run: int, status: str) -> None:
        """Wait until the portal shows a status."""
        wait_until(lambda: self.portal.run(run)["status"] == status, seconds=SOON)

    def await_attempt(self, run: int, number: int) -> None:
        """Wait until an attempt was made."""
        wait_until(lambda: len(self.portal.run(run)["attempts"]) >= number, seconds=SOON)

    def outcomes(self, run: int, *, status: str = "completed") -> list[str]:
        """Return how each attempt ended, once the run has ended so and everything recorded until now is right."""
        self.await_status(run, status)
        self.settle(seconds=SOON)
        history = self.history()
        history.calls = [
            call_of(computer.worker, exchange)
            for computer in self.computers
            for exchange in computer.proxy.exchanges
            if "x-request-id" in exchange.answer_headers  # said by the portal, not by something in between
        ]
        assert violations(history) == []
        return [attempt["outcome"] for attempt in self.portal.run(run)["attempts"]]

    def clean_up(self) -> None:
        """Cancel what a failed test left in the queue."""
        for run in self.unfinished():
            self.portal.cancel(run)


def content(exchange: Exchange) -> dict[str, Any]:
    """Return the answer of an exchange."""
    return dict(json.loads(exchange.answer))
