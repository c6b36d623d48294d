"""What the worker was told, by its user or by the portal, where every thread can see it. Decides nothing."""

import logging
import threading
from enum import IntEnum

from bert_training.contract.enums import Directive, ErrorCode
from bert_training.worker.client import Refused
from bert_training.worker.exits import ExitCode
from bert_training.worker.timing import Timing

REPORT_RESERVE_SECONDS = 15.0  # of the grace, kept for the last report
INSIST_SECONDS = 10.0  # to hand a job back after the second Ctrl-C

logger = logging.getLogger(__name__)


class Stop(IntEnum):
    """Why work on a job ends before its end; a greater one overrules a smaller one."""

    NO = 0
    PAUSE = 1  # hand it back at the next checkpoint, for this worker to go on later: there is time for it
    RELEASE = 2  # hand it back: checkpoint, then stop
    CANCEL = 3
    FINISHED = 4  # the portal says that it has ended already
    LEASE_LOST = 5  # another attempt is current
    GONE = 6  # the portal knows no such job of ours
    LEAVE = 7  # this worker may not go on at all: switched off, or too old


class WorkerOrders:
    """Orders to the whole worker."""

    def __init__(self, timing: Timing, *, grace: float) -> None:
        self._timing = timing
        self._grace = grace
        self._stopped_at: float | None = None
        self._insisted_at: float | None = None
        self.stop_requests = 0
        self.is_draining = False
        self.exit_code: ExitCode | None = None

    def request_stop(self) -> None:
        """Note a SIGTERM or Ctrl-C: the first asks, the second insists."""
        self.stop_requests += 1
        if self._stopped_at is None:
            self._stopped_at = self._timing.monotonic()
        elif self._insisted_at is None:
            self._insisted_at = self._timing.monotonic()

    def leave(self, code: ExitCode) -> None:
        """End the worker with this code as soon as its job is put away."""
        self.exit_code = self.exit_code or code

    @property
    def is_stopping(self) -> bool:
        """Tell whether no further job may be claimed."""
        return self.stop_requests > 0 or self.exit_code is not None

    @property
    def must_kill(self) -> bool:
        """Tell whether a person insists: no more waiting for the trainer."""
        return self._insisted_at is not None

    @property
    def is_out_of_time(self) -> bool:
        """Tell whether even the last report must be given up."""
        if self._insisted_at is not None and self._timing.monotonic() - self._insisted_at > INSIST_SECONDS:
            return True
        return self._stopped_at is not None and self.grace_left <= 0

    @property
    def must_report_now(self) -> bool:
        """Tell whether the time that is left must be kept for the last report."""
        if self._insisted_at is not None and self._timing.monotonic() - self._insisted_at > INSIST_SECONDS / 2:
            return True
        return self._stopped_at is not None and self.grace_left <= self.report_reserve_seconds

    @property
    def report_reserve_seconds(self) -> float:
        """Return how much of the grace is kept for the last report."""
        return min(REPORT_RESERVE_SECONDS, self._grace / 4)

    @property
    def grace_left(self) -> float:
        """Return the seconds left to stop in; all of them while nobody asked to stop."""
        if self._stopped_at is None:
            return self._grace
        return self._grace - (self._timing.monotonic() - self._stopped_at)


class JobOrders:
    """Orders about one attempt. Late answers about another job never reach it, because each job has its own."""

    def __init__(self, job_id: int, attempt: int, worker: WorkerOrders) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.worker = worker
        self.must_finish = False
        self._stop = Stop.NO
        self._lock = threading.Lock()

    @property
    def stop(self) -> Stop:
        """Return the strongest order so far; a stopping worker hands its job back."""
        return max(self._stop, Stop.RELEASE if self.worker.is_stopping else Stop.NO)

    def order(self, stop: Stop) -> None:
        """Give an order; a weaker one than before changes nothing."""
        with self._lock:
            if stop > self._stop:
                logger.info("job %d: %s", self.job_id, stop.name.lower().replace("_", " "))
                self._stop = stop

    def obey(self, directive: Directive) -> None:
        """Take the directive of any answer about this job."""
        if directive is Directive.CANCEL:
            self.order(Stop.CANCEL)
        elif directive is Directive.FINISH:
            self.must_finish = True
        elif directive is Directive.PAUSE:
            self.order(Stop.PAUSE)
        obey_drain(self.worker, directive)

    def obey_refusal(self, error: Refused) -> bool:
        """Take a refusal that decides about this job or worker; tell whether it was one."""
        if obey_refusal(self.worker, error):
            self.order(Stop.LEAVE)
        elif error.code == ErrorCode.LEASE_LOST:
            self.order(Stop.LEASE_LOST)
        elif error.code == ErrorCode.ALREADY_FINISHED:
            self.order(Stop.FINISHED)
        elif error.status == 404 and error.code == ErrorCode.NOT_FOUND:
            self.order(Stop.GONE)
        else:
            return False
        return True


def obey_drain(worker: WorkerOrders, directive: Directive) -> None:
    """Finish the current job and claim no more, until the portal says otherwise."""
    if directive in (Directive.DRAIN, Directive.PAUSE) and not worker.is_draining:
        logger.info("the portal asks to take no new job")
        worker.is_draining = True
    elif directive is Directive.CONTINUE and worker.is_draining:
        logger.info("the portal allows new jobs again")
        worker.is_draining = False


def obey_refusal(worker: WorkerOrders, error: Refused) -> bool:
    """Take a refusal that ends the worker; tell whether it was one."""
    if error.code == ErrorCode.WORKER_INACTIVE:
        logger.error("An administrator switched this worker off: %s", error.message)
        worker.leave(ExitCode.INACTIVE)
    elif error.status == 426:
        logger.error("The portal needs a newer worker: update this installation and start again. %s", error.message)
        worker.leave(ExitCode.TOO_OLD)
    else:
        return False
    return True
