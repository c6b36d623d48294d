"""A fault that a whole office feels: the portal is away for an hour (60 leases), and twenty supervisors train on."""

import os
import signal
import time
from pathlib import Path

import pytest

from bert_training.contract.enums import JobStatus, Outcome
from bert_training.demo.children import Child
from tests.faults.fleet import FleetWorker, ask, open_fleet
from tests.processes import Product, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.long]

WORKERS = 20
LEASE = 2.0
HOUR = 60 * LEASE  # an hour is 60 leases
DRAIN_SECONDS = 60.0
SETTINGS = {"LEASE_SECONDS": f"{LEASE:g}", "HEARTBEAT_SECONDS": "0.5", "TICK_SECONDS": "0.5"}


def kill(child: Child) -> None:
    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


@pytest.mark.timeout(400)
def test_an_hour_without_the_portal_costs_twenty_workers_nothing(tmp_path: Path) -> None:
    """F-17: twenty supervisors train through an hour's outage (60 leases); no attempt is lost, the backlog drains."""
    product = Product(tmp_path, **SETTINGS)
    try:
        with open_fleet(product, workers=WORKERS, epochs=30, steps_per_second=8, hour=HOUR) as fleet:
            wait_until(lambda: all(worker.acknowledged() > 0 for worker in fleet), seconds=120)
            kill(product.children[-1])
            time.sleep(HOUR)  # the fault
            backlog = {worker: worker.written() for worker in fleet}
            missing = sum(backlog.values()) - sum(worker.acknowledged() for worker in fleet)
            returned_at = time.monotonic()
            product.start_web()
            drained_at = drain(backlog)
            wait_until(lambda: all_ended(product), seconds=120)
            history = ask(product, "tell_history()")
            assert sorted(history["lines"].values()) == sorted(worker.written() for worker in fleet)
    finally:
        product.stop()
    seconds = max(drained_at) - returned_at
    first = min(drained_at) - returned_at
    times = f"{seconds:.1f} s after the portal's start, the first worker's after {first:.1f} s"
    print(f"\noutage {HOUR:g} s: {missing:,} lines drained {times}")
    assert seconds <= DRAIN_SECONDS
    assert history["attempts"] == [[job, 1, Outcome.COMPLETED] for job, _number, _outcome in history["attempts"]]
    assert history["statuses"] == [JobStatus.COMPLETED] * WORKERS


def drain(backlog: dict[FleetWorker, int]) -> list[float]:
    """Wait until each worker's backlog is confirmed; returns when it was."""
    left, moments = dict(backlog), []
    deadline = time.monotonic() + 2 * DRAIN_SECONDS
    while left:
        assert time.monotonic() < deadline, f"{len(left)} workers still have lines that the portal has not confirmed"
        for worker, written in list(left.items()):
            if worker.acknowledged() >= written:
                moments.append(time.monotonic())
                del left[worker]
        time.sleep(0.05)
    return moments


def all_ended(product: Product) -> bool:
    return set(ask(product, "tell_history()")["statuses"]) <= {JobStatus.COMPLETED, JobStatus.FAILED}
