"""The claim loop: asks for a job, runs it, asks again, until it is told to stop."""

import logging
from collections.abc import Callable

from bert_training.contract.enums import ErrorCode, Feature, Outcome
from bert_training.contract.limits import FREE_DISK_BYTES
from bert_training.contract.messages import ClaimedJob, ClaimRequest, CompleteRequest
from bert_training.worker.ballast import take_in
from bert_training.worker.cleanup import Cleaner
from bert_training.worker.client import NothingToDo, Refused
from bert_training.worker.context import WorkerContext
from bert_training.worker.exits import ExitCode
from bert_training.worker.heartbeat import SHORTEST_SECONDS
from bert_training.worker.job_runner import run_job
from bert_training.worker.machine import read_versions, task_names
from bert_training.worker.orders import obey_refusal
from bert_training.worker.retry import GaveUp

CONFLICT_LEASES = 2.0  # a computer that was replaced is fresh for one lease; who conflicts longer is a copy

logger = logging.getLogger(__name__)


class ClaimLoop:
    """Asks and works, one job at a time."""

    def __init__(self, context: WorkerContext, *, after_job: Callable[[int], None] = lambda _job: None) -> None:
        """after_job: called with the number of a job that was run, when no trainer works."""
        self._context = context
        self._after_job = after_job
        self._cleaner = Cleaner(context.store, context.timing)
        self._forgetting = context.heartbeat.forgetting
        self._orders = context.orders
        self._timing = context.timing
        self._body = ClaimRequest(
            instance=context.instance,
            tasks=task_names(),
            versions=read_versions(),
            simulate=context.options.dry_run,
            features=[feature.value for feature in Feature],
        )
        self._conflict_since: float | None = None
        self._had_room = True

    def run(self) -> ExitCode:
        """Work until told to stop. Returns the exit code."""
        while not self._orders.is_stopping:
            if self._orders.is_draining or not self._has_room():
                self._cleaner.clean_when_due(held_job=None)  # it may make the room
                self._idle(self._context.options.poll_interval)
                continue
            answer = self._claim()
            if isinstance(answer, ClaimedJob):
                self._take(answer)
                if not self._orders.is_stopping:
                    # Not before the job: no heartbeat speaks for one that has not begun, and cleaning may take minutes.
                    self._cleaner.clean_when_due(held_job=answer.job_id)
            elif isinstance(answer, NothingToDo):
                self._cleaner.clean_when_due(held_job=None)
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
            with self._forgetting.holding(job):
                run_job(self._context, job)
                self._after_job(job.job_id)
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
        """Tell whether a job may be taken; says so when that changes."""
        store = self._context.store
        has_room = take_in(store.folder) and (self._context.options.dry_run or store.free_bytes() >= FREE_DISK_BYTES)
        if not has_room and self._had_room:
            logger.warning("only %d bytes are free in %s: no job is taken", store.free_bytes(), store.folder)
        elif has_room and not self._had_room:
            logger.info("there is room in %s again: jobs are taken", store.folder)
        self._had_room = has_room
        return has_room

    def _idle(self, seconds: float) -> None:
        pause = max(SHORTEST_SECONDS, seconds) * self._timing.uniform(0.8, 1.0)
        self._timing.pause(pause, lambda: self._orders.is_stopping)
