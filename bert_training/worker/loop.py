"""The claim loop: asks for a job, runs it, asks again, until it is told to stop."""

import logging

from bert_training.contract.enums import ErrorCode, Outcome
from bert_training.contract.messages import ClaimedJob, ClaimRequest, CompleteRequest
from bert_training.worker.client import NothingToDo, Refused
from bert_training.worker.context import WorkerContext
from bert_training.worker.exits import ExitCode
from bert_training.worker.heartbeat import SHORTEST_SECONDS
from bert_training.worker.job_runner import run_job
from bert_training.worker.machine import read_versions, task_names
from bert_training.worker.orders import obey_refusal
from bert_training.worker.retry import GaveUp

# Two checkpoints, a third being written and the final model take 10 times the weights: 0.9 GB for a small base model.
# A base model of 110 million parameters needs 4.4 GB; one that finds less ends as disk_full, its checkpoints whole.
FREE_BYTES_FLOOR = 1024**3
CONFLICT_LEASES = 2.0  # a computer that was replaced is fresh for one lease; who conflicts longer is a copy

logger = logging.getLogger(__name__)


class ClaimLoop:
    """Asks and works, one job at a time."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._orders = context.orders
        self._timing = context.timing
        self._body = ClaimRequest(
            instance=context.instance,
            tasks=task_names(),
            versions=read_versions(),
            simulate=context.options.dry_run,
        )
        self._conflict_since: float | None = None

    def run(self) -> ExitCode:
        """Work until told to stop. Returns the exit code."""
        while not self._orders.is_stopping:
            if self._orders.is_draining or not self._has_room():
                self._idle(self._context.options.poll_interval)
                continue
            answer = self._claim()
            if isinstance(answer, ClaimedJob):
                self._take(answer)
            elif isinstance(answer, NothingToDo):
                self._idle(min(self._context.options.poll_interval, answer.retry_after))
        return self._orders.exit_code or ExitCode.STOPPED

    def _claim(self) -> ClaimedJob | NothingToDo | None:
        """Ask once, for as long as it takes to be answered; None when that answer was a refusal."""
        context = self._context
        try:
            answer = context.retrier.call(
                lambda: context.client.claim(self._body), what="claim", give_up=lambda: self._orders.is_stopping
            )
        except GaveUp:
            return None
        except Refused as error:
            self._after_refusal(error)
            return None
        self._conflict_since = None
        return answer

    def _after_refusal(self, error: Refused) -> None:
        if obey_refusal(self._orders, error):
            return
        if error.code != ErrorCode.INSTANCE_CONFLICT:
            logger.error("the portal refuses to give jobs: %s", error)
            self._idle(self._context.options.poll_interval)
            return
        now = self._timing.monotonic()
        self._conflict_since = now if self._conflict_since is None else self._conflict_since
        lease_seconds = self._context.heartbeat.lease_seconds
        if now - self._conflict_since >= CONFLICT_LEASES * lease_seconds:
            logger.error("Another computer works with this token. Each worker needs its own: register this one.")
            self._orders.leave(ExitCode.CONFLICT)
            return
        logger.warning("another computer works with this token; asking again: %s", error.message)
        retry_after = error.details.get("retry_after")
        self._idle(min(lease_seconds, retry_after) if isinstance(retry_after, int | float) else lease_seconds)

    def _take(self, job: ClaimedJob) -> None:
        if job.simulate == self._context.options.dry_run:
            run_job(self._context, job)
            return
        logger.error("the portal gave job %d, which is not of the kind asked for; it is handed back", job.job_id)
        body = CompleteRequest(attempt=job.attempt, outcome=Outcome.RELEASED, log_seq=0, metric_seq=0)
        try:
            self._context.retrier.call(
                lambda: self._context.client.complete(job.job_id, body),
                what="handing back",
                give_up=lambda: self._orders.is_stopping,
            )
        except (Refused, GaveUp) as error:
            logger.warning("job %d was not handed back: %s", job.job_id, error)
        self._idle(self._context.options.poll_interval)

    def _has_room(self) -> bool:
        free = self._context.store.free_bytes()
        if self._context.options.dry_run or free >= FREE_BYTES_FLOOR:
            return True
        logger.warning("only %d bytes are free in %s: no job is taken", free, self._context.store.folder)
        return False

    def _idle(self, seconds: float) -> None:
        pause = max(SHORTEST_SECONDS, seconds) * self._timing.uniform(0.8, 1.0)
        self._timing.pause(pause, lambda: self._orders.is_stopping)
