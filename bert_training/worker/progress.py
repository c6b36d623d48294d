"""Posts how far a job is, about once a second, from its own thread. Only the newest state counts: nothing queues up."""

import logging
from typing import Any

from pydantic import ValidationError

from bert_training.contract.enums import Phase
from bert_training.contract.messages import ProgressRequest
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.client import Refused, Unauthorized, Unavailable
from bert_training.worker.context import WorkerContext
from bert_training.worker.orders import JobOrders, Stop
from bert_training.worker.timing import SLICE_SECONDS

POST_SECONDS = 1.0
CONSOLE_SECONDS = 30.0
LAST_SECONDS = 2.0
TOLD_ONCE = ("reproducibility", "token_lengths")

logger = logging.getLogger(__name__)


class ProgressReporter:
    """Keeps the newest progress of one attempt and posts it when it changed."""

    def __init__(self, orders: JobOrders, context: WorkerContext) -> None:
        self._orders = orders
        self._client = context.client
        self._retrier = context.retrier
        self._heartbeat = context.heartbeat
        self._timing = context.timing
        self._newest = ProgressRequest(attempt=orders.attempt, phase=Phase.PREPARING)
        self._resumed_from_step = 0
        self._posted: ProgressRequest | None = None
        self._posted_at = 0.0
        self._shown_at = 0.0
        self._told: dict[str, object] = {}  # fields of TOLD_ONCE as the portal has them
        self._failures = 0
        self._is_last = False
        self._loop = BackgroundLoop(f"progress of job {orders.job_id}", self._step, context.timing)

    def start(self, *, resumed_from_step: int) -> None:
        """Begin to post; the first one of every attempt but the first says where it goes on, 0 = at the beginning."""
        self._resumed_from_step = resumed_from_step
        self._newest = self._newest.model_copy(update={"checkpoint_step": resumed_from_step})
        self._loop.start()

    def stop(self) -> None:
        """Post no more."""
        self._loop.stop()

    def finish(self) -> None:
        """Post the last state, if the portal takes it soon, and no more after it."""
        self._is_last = True
        self._timing.pause(LAST_SECONDS, lambda: self._posted == self._newest or self._orders.stop >= Stop.FINISHED)
        self._loop.stop()

    def enter(self, phase: Phase) -> None:
        """Note that the supervisor itself began a phase."""
        self._newest = self._newest.model_copy(update={"phase": phase})

    def update(self, state: dict[str, Any]) -> None:
        """Take the state that the trainer wrote. A damaged one is dropped: the next follows within a second."""
        try:
            newest = ProgressRequest.model_validate({**state, "attempt": self._orders.attempt}, strict=False)
        except ValidationError:
            logger.warning("job %d: the trainer's progress is unreadable", self._orders.job_id)
            return
        self._newest = newest

    def _step(self) -> None:
        newest = self._newest
        if newest == self._posted or self._orders.stop >= Stop.FINISHED or not self._is_due(newest):
            self._timing.sleep(SLICE_SECONDS)
            return
        try:
            answer = self._client.post_progress(self._orders.job_id, self._with_what_is_new(newest))
        except (Unavailable, Unauthorized) as error:
            self._failures += 1
            most = self._heartbeat.heartbeat_seconds
            self._retrier.wait_after(error, self._failures, what="progress", give_up=self._is_stopped, at_most=most)
            return
        except Refused as error:
            if not self._orders.obey_refusal(error):
                logger.error("the portal refuses the progress of job %d: %s", self._orders.job_id, error)
        else:
            self._note_answered(newest)
            self._orders.obey(answer.directive)
        self._posted, self._posted_at = newest, self._timing.monotonic()

    def _note_answered(self, newest: ProgressRequest) -> None:
        self._failures = 0
        self._retrier.note_success()
        self._told |= {name: value for name in TOLD_ONCE if (value := getattr(newest, name)) is not None}
        now = self._timing.monotonic()
        if self._posted is None or newest.phase != self._posted.phase or now - self._shown_at >= CONSOLE_SECONDS:
            self._shown_at = now
            logger.info("job %d: %s", self._orders.job_id, _describe(newest))

    def _is_due(self, newest: ProgressRequest) -> bool:
        if self._is_last or self._posted is None or newest.phase != self._posted.phase:
            return True
        return self._timing.monotonic() - self._posted_at >= POST_SECONDS

    def _with_what_is_new(self, newest: ProgressRequest) -> ProgressRequest:
        """Add what only the first progress carries, and leave out what the portal has."""
        is_first = self._posted is None and self._orders.attempt > 1
        resumed_from_step = self._resumed_from_step if is_first else None
        known = {name: None for name, value in self._told.items() if getattr(newest, name) == value}
        return newest.model_copy(update={"resumed_from_step": resumed_from_step, **known})

    def _is_stopped(self) -> bool:
        return self._loop.is_stopped


def _describe(state: ProgressRequest) -> str:
    if not state.total_steps:
        return state.phase.value
    return f"{state.phase.value}, epoch {state.epoch}, step {state.step} of {state.total_steps}"
