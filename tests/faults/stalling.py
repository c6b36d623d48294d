"""Computers that fall silent past their lease and come back later, as quick as the database: nobody waits.

One caller plays a few computers in turn. A stall is written into the database: the lease has run out, the next tick
gives the job to somebody else, and when the computer comes back it goes on as if nothing had happened.
"""

import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread

from django.db import connection
from django.db.models.functions import Now

from bert_training.contract.enums import ErrorCode, JobStatus, Outcome, Phase
from bert_training.contract.messages import ClaimedJob, ClaimRequest, CompleteRequest, ProgressRequest, Result
from bert_training.models import Job, PortalTick, Worker
from bert_training.services.claims import claim_job
from bert_training.services.errors import ProtocolError
from bert_training.services.jobs import complete_job, report_progress
from bert_training.services.leases import expire_leases
from bert_training.tasks import TASKS

COMPUTERS = 4  # of each caller
STALLING = 0.2  # share of claims after which the computer falls silent
REPEATED = 0.1  # share of completions that are sent twice
TICK_SECONDS = 0.02
GIVE_UP_SECONDS = 300.0
HOUR = timedelta(hours=1)
RESULT = Result(metrics={"f1_macro": 0.5}, model_fingerprint="a" * 64, best_step=1, classes=[])
# What a computer whose job went on without it may be told, and nothing else.
TAKEN = frozenset({ErrorCode.LEASE_LOST, ErrorCode.ALREADY_FINISHED})


@dataclass
class Caller:
    """Plays its computers until every job is completed. `accepted`: how many of its completions were taken."""

    seed: int
    accepted: int = 0
    stalls: int = 0
    silent: deque[tuple[Worker, ClaimedJob]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.awake = deque(Worker.objects.create(name=f"pc {self.seed}.{number}") for number in range(COMPUTERS))

    def work(self) -> None:
        """Claim and complete; a computer comes back when all others are silent, or when the queue is empty."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            claimed = self._claim()
            if claimed is not None and self.random.random() < STALLING:
                self._fall_silent(claimed)
            elif claimed is not None:
                self._finish(self.awake[0], claimed)
            elif self.silent:
                self._come_back()
            elif not Job.objects.exclude(status=JobStatus.COMPLETED).exists():
                return
            else:
                time.sleep(TICK_SECONDS)  # others have the last jobs
        raise AssertionError(f"Not done: {list(Job.objects.exclude(status=JobStatus.COMPLETED).values()[:3])}")

    def _claim(self) -> ClaimedJob | None:
        worker = self.awake[0]
        return claim_job(worker, ClaimRequest(instance=f"machine {worker.pk}:1", tasks=list(TASKS)))

    def _fall_silent(self, claimed: ClaimedJob) -> None:
        self.stalls += 1
        Job.objects.filter(pk=claimed.job_id, attempt=claimed.attempt).update(lease_until=Now() - HOUR)
        self.silent.append((self.awake.popleft(), claimed))
        if not self.awake:
            self._come_back()

    def _come_back(self) -> None:
        worker, claimed = self.silent.popleft()
        self._finish(worker, claimed)
        self.awake.append(worker)

    def _finish(self, worker: Worker, claimed: ClaimedJob) -> None:
        last = ProgressRequest(attempt=claimed.attempt, phase=Phase.TRAINING, step=9, total_steps=9)
        report = CompleteRequest(
            attempt=claimed.attempt, outcome=Outcome.COMPLETED, log_seq=0, metric_seq=0, result=RESULT
        )
        try:
            report_progress(worker, claimed.job_id, last)
            complete_job(worker, claimed.job_id, report)
        except ProtocolError as refusal:
            if refusal.code not in TAKEN:
                raise
            return
        self.accepted += 1
        if self.random.random() < REPEATED:
            complete_job(worker, claimed.job_id, report)


@contextmanager
def ticking_portal() -> Iterator[None]:
    """Have two web processes' worth of ticks take lapsed jobs back, on a portal that has listened for long."""
    PortalTick.objects.update_or_create(pk=1, defaults={"heard_since": Now() - HOUR, "heard_at": Now()})
    is_over = Event()
    threads = [Thread(target=_tick_until, args=(is_over,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    is_over.set()
    for thread in threads:
        thread.join()


def _tick_until(is_over: Event) -> None:
    while not is_over.wait(TICK_SECONDS):
        expire_leases()
    connection.close()
