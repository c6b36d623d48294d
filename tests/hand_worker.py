"""A worker that does what a test says and nothing by itself: the real client, no threads, no trainer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bert_training.contract.enums import Outcome, Phase, WorkerState
from bert_training.contract.limits import API_PREFIX
from bert_training.contract.messages import (
    ClaimedJob,
    ClaimRequest,
    CompleteRequest,
    HeartbeatAnswer,
    HeartbeatRequest,
    ProgressRequest,
    Result,
)
from bert_training.contract.streams import LogBatch, LogLine
from bert_training.tasks import TASKS
from bert_training.worker.client import NothingToDo, PortalClient
from bert_training.worker.options import TokenSource

SOME_TIME = "2026-01-02T12:00:00+00:00"


class HandWorker:
    """One registered worker; it takes simulations only."""

    def __init__(self, base_url: str, token: str) -> None:
        address, self.instance = f"{base_url}{API_PREFIX}", "by-hand:1"
        self.client = PortalClient(address, TokenSource(token), instance=self.instance, version="1.0", is_loopback=True)

    def claim(self) -> ClaimedJob:
        """Take the next job; there must be one."""
        request = ClaimRequest(instance=self.instance, tasks=list(TASKS), versions={}, simulate=True)
        job = self.client.claim(request)
        assert not isinstance(job, NothingToDo)
        return job

    def beat(self, job: ClaimedJob | None = None) -> HeartbeatAnswer:
        """Say that the worker lives, and its job with it."""
        held: dict[str, Any] = {"job_id": job.job_id, "attempt": job.attempt, "state": WorkerState.BUSY} if job else {}
        idle: dict[str, Any] = {"instance": self.instance, "state": WorkerState.IDLE, "sent_at": datetime.now(UTC)}
        return self.client.heartbeat(HeartbeatRequest(**(idle | held)))

    def write(self, job: ClaimedJob, messages: Sequence[str], *, first_seq: int) -> int:
        """Send log lines; returns the number that the portal expects next."""
        lines = [LogLine(ts=SOME_TIME, message=message) for message in messages]
        batch = LogBatch(job_id=job.job_id, attempt=job.attempt, first_seq=first_seq, lines=lines)
        return self.client.post_logs(batch).next_seq

    def report(self, job: ClaimedJob, *, step: int, total_steps: int) -> None:
        """Say how far the training is."""
        facts: dict[str, Any] = {"attempt": job.attempt, "phase": Phase.TRAINING, "epoch": 1}
        self.client.post_progress(job.job_id, ProgressRequest(**facts, step=step, total_steps=total_steps))

    def complete(self, job: ClaimedJob, *, lines: int) -> None:
        """End the job with a result."""
        result = Result(metrics={"f1_macro": 0.9}, model_fingerprint="0" * 64, best_step=1, classes=[])
        facts: dict[str, Any] = {"attempt": job.attempt, "outcome": Outcome.COMPLETED, "result": result}
        ending = CompleteRequest(**facts, log_seq=lines, metric_seq=0)
        self.client.complete(job.job_id, ending)

    def give_up(self, job: ClaimedJob, *, lines: int) -> None:
        """End the job as canceled, so that the worker may have another."""
        ending = CompleteRequest(attempt=job.attempt, outcome=Outcome.CANCELED, log_seq=lines, metric_seq=0)
        self.client.complete(job.job_id, ending)
