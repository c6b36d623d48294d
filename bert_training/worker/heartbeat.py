"""Tells the portal that this worker lives, from its own thread: a busy or stuck trainer cannot cost the lease."""

import logging
from typing import Any

from bert_training.contract.enums import WorkerState
from bert_training.contract.limits import CLOCK_SKEW_WARNING_SECONDS, HEARTBEAT_SECONDS, LEASE_SECONDS
from bert_training.contract.messages import HeartbeatAnswer, HeartbeatRequest
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.client import PortalClient, PortalError, Refused, Unauthorized, Unavailable
from bert_training.worker.forgetting import Forgetting
from bert_training.worker.gauges import Gauges
from bert_training.worker.orders import JobOrders, WorkerOrders, obey_drain, obey_refusal
from bert_training.worker.retry import TOKEN_RETRY_SECONDS, Retrier
from bert_training.worker.timing import Timing

# What a portal may ask for, so that a damaged answer can neither silence the worker nor make it knock without pause.
SHORTEST_SECONDS = 0.05
LONGEST_SECONDS = 300.0
GOODBYE_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Heartbeat:
    """Beats every heartbeat_seconds of the portal, idle or busy."""

    def __init__(
        self,
        client: PortalClient,
        retrier: Retrier,
        worker: WorkerOrders,
        *,
        instance: str,
        gauges: Gauges,
        forgetting: Forgetting,
        timing: Timing,
    ) -> None:
        self._client = client
        self._retrier = retrier
        self._worker = worker
        self._instance = instance
        self.gauges = gauges
        self.forgetting = forgetting
        self._timing = timing
        self._job: JobOrders | None = None
        self._failures = 0
        self.clock_skew_seconds = 0.0
        self.heartbeat_seconds = HEARTBEAT_SECONDS
        self.lease_seconds = LEASE_SECONDS
        self._loop = BackgroundLoop("heartbeat", self._step, timing)

    def start(self) -> None:
        """Begin to beat."""
        self.gauges.start()
        self.forgetting.start()
        self._loop.start()

    def stop(self) -> None:
        """Beat no more."""
        self._loop.stop()
        self.forgetting.stop()
        self.gauges.stop()

    def say_goodbye(self) -> None:
        """Beat no more, and tell that this worker ends. Once, and only to a portal that answers."""
        self.stop()
        if self._failures:
            return
        body = self._request(None).model_copy(update={"state": WorkerState.STOPPED})
        try:
            self._client.heartbeat(body, read_seconds=GOODBYE_SECONDS)
        except PortalError as error:
            logger.debug("the portal was not told that this worker ends: %s", error)

    def attach(self, job: JobOrders | None) -> None:
        """Beat for a job from now on; None = idle."""
        self._job = job

    def beat(self) -> HeartbeatAnswer:
        """Send one heartbeat. Raises what the client raises."""
        job = self._job
        asked_at = self._timing.monotonic()
        request = self._request(job)
        answer = self._client.heartbeat(request)
        self.forgetting.take(answer.forget, confirmed=request.forgotten)
        self._note(answer, seconds=self._timing.monotonic() - asked_at)
        if job is not None:
            job.obey(answer.directive)
        else:
            obey_drain(self._worker, answer.directive)
        return answer

    def _step(self) -> None:
        job = self._job
        if self._client.token.reload():  # while the old one is still good, whoever rotated it sees that it is done
            logger.info("the token file holds another token: %s...", self._client.token.prefix)
        try:
            self.beat()
        except (Unavailable, Unauthorized) as error:
            self._failures += 1
            # Never longer than a heartbeat, whatever Retry-After says: otherwise every outage would cost leases.
            at_most = TOKEN_RETRY_SECONDS if isinstance(error, Unauthorized) else self.heartbeat_seconds
            self._retrier.wait_after(error, self._failures, what="heartbeat", give_up=self._is_stopped, at_most=at_most)
            return
        except Refused as error:
            self.forgetting.expect_nothing()
            obeyed = job.obey_refusal(error) if job is not None else obey_refusal(self._worker, error)
            if not obeyed:
                logger.error("the portal refuses the heartbeat: %s", error)
        else:
            self._failures = 0
            self._retrier.note_success()
        self._timing.pause(self.heartbeat_seconds * self._timing.uniform(0.9, 1.0), self._is_stopped)

    def _is_stopped(self) -> bool:
        return self._loop.is_stopped

    def _request(self, job: JobOrders | None) -> HeartbeatRequest:
        state = WorkerState.IDLE if job is None else WorkerState.BUSY
        if self._worker.is_draining or self._worker.is_stopping:
            state = WorkerState.DRAINING
        return HeartbeatRequest(
            instance=self._instance,
            state=state,
            sent_at=self._timing.utc_now(),
            job_id=job.job_id if job else None,
            attempt=job.attempt if job else None,
            **_readings(self.gauges),
            forgotten=self.forgetting.done,
        )

    def _note(self, answer: HeartbeatAnswer, *, seconds: float) -> None:
        self.heartbeat_seconds = min(max(answer.heartbeat_seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
        self.lease_seconds = min(max(answer.lease_seconds, SHORTEST_SECONDS), LONGEST_SECONDS)
        skew = (self._timing.utc_now() - answer.server_time).total_seconds() - seconds / 2
        was_right = abs(self.clock_skew_seconds) <= CLOCK_SKEW_WARNING_SECONDS
        self.clock_skew_seconds = skew
        if was_right and abs(skew) > CLOCK_SKEW_WARNING_SECONDS:
            logger.warning("this computer's clock is %.0f s off the portal's; only times in logs suffer", skew)


def _readings(gauges: Gauges) -> dict[str, Any]:
    """Return the fields of a heartbeat that tell of the hardware."""
    disk, memory = gauges.disk, gauges.memory
    return {
        "gpu": gauges.gpus,
        "disk_free": disk.free if disk else None,
        "disk_bytes": disk.all if disk else None,
        "cpu": gauges.cpu,
        "memory_bytes": memory.all if memory else None,
        "memory_used_bytes": memory.used if memory else None,
    }
