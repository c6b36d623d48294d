"""Two hundred workers at once, many in one process: requests a second, how long each call takes, what goes wrong.

They behave as the worker does in training (claim, heartbeat, progress, log, points, end) but train nothing.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import connections

from bert_training.contract.enums import JobStatus, Outcome
from bert_training.contract.limits import HEARTBEAT_SECONDS
from bert_training.contract.messages import ClaimedJob
from bert_training.models import Job, JobAttempt, Run
from bert_training.worker.client import PortalError
from tests.bench import seed
from tests.bench.frame import Figure, rounds_for
from tests.bench.portal_viewers import open_server
from tests.hand_worker import HandWorker
from tests.personas import make_run, make_user, make_worker, token_of

WORKERS = 200
SECONDS = rounds_for(20, 60)
REPORT_SECONDS = 2.0  # between two reports (progress and log lines) of a worker
LINES_PER_REPORT = 10
REPORTS_PER_JOB = 8
JOBS = WORKERS * (2 + int(SECONDS / REPORT_SECONDS / REPORTS_PER_JOB))
COPIED = (*seed.COPIED, "owner", "simulate")
NOTES = f"""Fleet: {WORKERS} workers as threads of one process for {SECONDS} s, each with a connection of its own and
the worker's own client. Every {REPORT_SECONDS:g} s a worker posts its progress and {LINES_PER_REPORT} log lines, every
{HEARTBEAT_SECONDS:g} s a heartbeat, and after {REPORTS_PER_JOB} reports it ends its job and claims the next. Times are
those that the workers see; their process and the portal share the machine."""


class Log:
    """Times of calls by kind, and what failed; threads add to it."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []

    @contextmanager
    def noting(self, kind: str) -> Iterator[None]:
        """Time a call."""
        began = time.perf_counter()
        try:
            yield
        except PortalError as error:
            self.errors.append(f"{kind}: {error}")
        else:
            self.seconds[kind].append(time.perf_counter() - began)


class SimulatedWorker(threading.Thread):
    """One worker in training."""

    def __init__(self, base_url: str, token: str, log: Log, *, place: float) -> None:
        super().__init__(daemon=True)
        self._worker = HandWorker(base_url, token)
        self._log = log
        self._place = place  # of all workers, 0 to 1: not all report in the same moment
        self._next = self._beat_at = self._deadline = 0.0

    def run(self) -> None:
        """Work on one job after the other until the time is over."""
        began = time.monotonic()
        self._deadline = began + SECONDS
        self._next = began + self._place * REPORT_SECONDS
        self._beat_at = began + self._place * HEARTBEAT_SECONDS
        while time.monotonic() < self._deadline:
            self._wait()
            job: ClaimedJob | None = None
            with self._log.noting("claim"):
                job = self._worker.claim()
            if job is not None:
                self._train(job)
        self._worker.client.close()

    def _train(self, job: ClaimedJob) -> None:
        for report in range(REPORTS_PER_JOB):
            self._wait()
            if time.monotonic() >= self._deadline:
                return
            with self._log.noting("progress"):
                self._worker.report(job, step=report + 1, total_steps=REPORTS_PER_JOB)
            messages = [f"step {report}, line {number}" for number in range(LINES_PER_REPORT)]
            with self._log.noting("log lines"):
                self._worker.write(job, messages, first_seq=1 + report * LINES_PER_REPORT)
            if time.monotonic() >= self._beat_at:
                self._beat_at += HEARTBEAT_SECONDS
                with self._log.noting("heartbeat"):
                    self._worker.beat(job)
        with self._log.noting("end"):
            self._worker.complete(job, lines=REPORTS_PER_JOB * LINES_PER_REPORT)

    def _wait(self) -> None:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next + REPORT_SECONDS, time.monotonic())


def measure() -> list[Figure]:
    """Let the fleet work for a while, then look at what the portal kept."""
    tokens = [token_of(make_worker(f"fleet-{number}")) for number in range(WORKERS)]
    enqueue(make_user("fleet", is_staff=True), JOBS)
    connections.close_all()
    log = Log()
    with open_server("portal.server") as (base_url, _child):
        seconds = work(base_url, tokens, log)
    return list(figures_of(log, seconds))


def work(base_url: str, tokens: list[str], log: Log) -> float:
    """Run all workers to their end; returns how long that took."""
    places = enumerate(tokens)
    workers = [SimulatedWorker(base_url, token, log, place=number / WORKERS) for number, token in places]
    began = time.monotonic()
    each: Callable[[threading.Thread], Any]
    for each in (threading.Thread.start, threading.Thread.join):
        for worker in workers:
            each(worker)
    return time.monotonic() - began


def enqueue(owner: User, count: int) -> None:
    """Queue simulated runs: one that the services make, and copies of it."""
    model = make_run(owner, simulate=True)
    copied = {name: getattr(model, name) for name in COPIED}
    runs = Run.objects.bulk_create(Run(name=f"fleet {number}", **copied) for number in range(count - 1))
    Job.objects.bulk_create(Job(run=run, task=run.task, simulate=True, turn=0) for run in runs)


def figures_of(log: Log, seconds: float) -> Iterator[Figure]:
    """Put calls and rows into figures."""
    fleet = f"fleet of {WORKERS} workers"
    answered = sum(map(len, log.seconds.values()))
    yield Figure(f"{fleet}: requests answered", "requests/s", [answered / seconds])
    for kind, times in sorted(log.seconds.items()):
        p50, p95 = (float(value) for value in np.percentile(times, [50, 95]))
        yield Figure(f"{fleet}: p95 of {len(times):,} x {kind} (p50 {p50:.3f} s)", "s", [p95])
    if log.errors:
        print("\n".join(log.errors[:20]))
    yield Figure(f"{fleet}: calls that failed", "calls", [len(log.errors)], goal=0)
    lost = JobAttempt.objects.filter(outcome=Outcome.LOST).count()
    yield Figure(f"{fleet}: leases lost", "attempts", [lost], goal=0)
    done = Job.objects.filter(status=JobStatus.COMPLETED)
    again = done.exclude(attempt=1).count()
    yield Figure(f"{fleet}: of {done.count():,} completed jobs, more than one attempt", "jobs", [again], goal=0)
