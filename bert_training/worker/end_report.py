"""Delivers the end of an attempt: first its whole log, then one complete call, repeated until it is answered."""

import logging
from collections.abc import Mapping

from bert_training.contract.enums import ErrorCode, Outcome, Reason
from bert_training.contract.messages import CompleteRequest
from bert_training.worker.client import Refused
from bert_training.worker.context import WorkerContext
from bert_training.worker.ending import Ending, failed, stopped
from bert_training.worker.orders import JobOrders, Stop
from bert_training.worker.retry import GaveUp
from bert_training.worker.sender import Sender
from bert_training.worker.spool import KINDS, LOG, METRIC, PREDICTION

TAIL_SECONDS = 30.0  # for the last lines of an attempt that ended otherwise; the rest stays in the spool
REFUSALS = 10

logger = logging.getLogger(__name__)


class EndReport:
    """The last call of one attempt. counts: the records of each kind in its spool."""

    def __init__(self, context: WorkerContext, orders: JobOrders, sender: Sender, counts: Mapping[str, int]) -> None:
        self._context = context
        self._orders = orders
        self._sender = sender
        self._counts = counts

    def deliver(self, ending: Ending) -> bool:
        """Report the end, unless the portal has ended the attempt itself; then send what is left of the log.

        Returns whether the job has ended by it, so that nobody will resume it.
        """
        has_ended = False
        try:
            if self._orders.stop < Stop.FINISHED:
                if ending.outcome in (Outcome.COMPLETED, Outcome.FAILED) and not self._is_log_there():
                    ending = stopped(Stop.RELEASE)  # no end is taken before its log: another attempt will come to it
                has_ended = self._complete(ending) and ending.outcome is not Outcome.RELEASED
        except GaveUp:
            logger.warning("job %d: the end could not be reported", self._orders.job_id)
        self._wait_for_tail()
        return has_ended

    def _is_log_there(self) -> bool:
        """Wait for the log to be delivered; tells whether there is hope to report the end that needs it."""
        self._sender.wait_drained(lambda: self._has_given_up() or self._context.orders.must_report_now)
        return self._sender.is_drained or not self._context.orders.must_report_now

    def _complete(self, ending: Ending) -> bool:
        """Repeat the call until it is answered; tell whether the portal took it."""
        for _ in range(REFUSALS):
            body = self._body(ending)
            try:
                answer = self._context.retrier.call(
                    lambda: self._context.client.complete(self._orders.job_id, body),  # noqa: B023 - called at once
                    what="end report",
                    give_up=self._has_given_up,
                )
            except Refused as error:
                next_ending = self._after_refusal(error, ending)
                if next_ending is None:
                    return False
                ending = next_ending
            else:
                logger.info("job %d is %s", self._orders.job_id, answer.status.value)
                return True
        logger.error("job %d: the portal refuses every end report", self._orders.job_id)
        return False

    def _after_refusal(self, error: Refused, ending: Ending) -> Ending | None:
        """Return what to report next, None when nothing is left to say."""
        if error.code == ErrorCode.STREAM_INCOMPLETE:
            have = {kind: error.details.get(f"{kind}_seq") for kind in KINDS}
            self._sender.rewind({kind: seq for kind, seq in have.items() if isinstance(seq, int)})
            return ending
        if self._orders.obey_refusal(error):
            return None
        logger.error("the portal refuses the end of job %d: %s", self._orders.job_id, error)
        if ending.outcome is Outcome.COMPLETED:
            return failed(Reason.CRASHED, f"The portal refused the result of the training: {error.message}")
        return None

    def _body(self, ending: Ending) -> CompleteRequest:
        delivered = self._sender.delivered
        counts = delivered if self._sender.is_given_up else self._counts
        has_all_predictions = delivered[PREDICTION] == self._counts[PREDICTION]
        return CompleteRequest(
            attempt=self._orders.attempt,
            outcome=ending.outcome,
            log_seq=counts[LOG],
            metric_seq=counts[METRIC],
            prediction_seq=counts[PREDICTION] if has_all_predictions else 0,  # 0: the run has no proof
            error=ending.error,
            result=ending.result,
        )

    def _wait_for_tail(self) -> None:
        timing = self._context.timing
        deadline = timing.monotonic() + TAIL_SECONDS
        if not self._sender.wait_drained(lambda: timing.monotonic() >= deadline or self._has_no_tail()):
            logger.warning("job %d: part of the log stays in %s", self._orders.job_id, self._sender.spool)
        self._sender.stop()

    def _has_no_tail(self) -> bool:
        return self._orders.stop >= Stop.GONE or self._context.orders.is_out_of_time

    def _has_given_up(self) -> bool:
        return self._orders.stop >= Stop.FINISHED or self._context.orders.is_out_of_time


def report_failure(context: WorkerContext, orders: JobOrders, ending: Ending) -> None:
    """Report a failure outside the trainer: it names no lines, so that it is taken whatever has arrived."""
    body = CompleteRequest(attempt=orders.attempt, outcome=Outcome.FAILED, log_seq=0, metric_seq=0, error=ending.error)
    try:
        context.retrier.call(
            lambda: context.client.complete(orders.job_id, body),
            what="failure report",
            give_up=lambda: orders.stop >= Stop.FINISHED or context.orders.is_out_of_time,
        )
    except (Refused, GaveUp) as refusal:
        logger.warning("job %d: the failure could not be reported: %s", orders.job_id, refusal)
