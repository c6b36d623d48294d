"""What the worker protocol promises about jobs, in plain Python: the model that the state machine compares with.

Knows no database and no time: a lease lapses when the machine says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

TERMINAL = ("completed", "failed", "canceled")
STEPS = 100  # of a training


class Refused(Exception):
    """A call was refused; its argument is the code."""


@dataclass(eq=False)
class Worker:
    """A PC: `start` is the number of the newest start that it claimed with."""

    start: int = 0
    is_active: bool = True
    is_draining: bool = False


@dataclass(eq=False)
class Attempt:
    """One try of a job; lines and points are how many records of its streams arrived."""

    job: "Job"
    number: int
    worker: Worker
    start: int
    outcome: str = "running"
    step: int = 0
    checkpoint: int = 0
    resumed_from: int | None = None
    lines: int = 0
    points: int = 0

    @property
    def is_current(self) -> bool:
        """Tell whether no newer attempt was opened."""
        return self.job.attempts[-1] is self

    @property
    def brings_down(self) -> bool:
        """Tell whether it counts for the poison guard: lost after a step, without a newer checkpoint (R7)."""
        return self.outcome == "lost" and self.step >= 1 and self.checkpoint <= (self.resumed_from or 0)


@dataclass(eq=False)
class Job:
    """One entry of the queue; `hold` is the worker for which it waits, or did until the hold lapsed."""

    status: str = "queued"
    attempts: list[Attempt] = field(default_factory=list)
    hold: Worker | None = None
    is_hold_over: bool = False
    is_canceling: bool = False
    is_finishing: bool = False
    step: int = 0
    checkpoint: int = 0

    def directive(self) -> str:
        """Return the word for the worker of the current attempt."""
        if self.is_canceling:
            return "cancel"
        if self.is_finishing:
            return "finish"
        return "drain" if self.attempts[-1].worker.is_draining else "continue"

    def open_attempt(self, worker: Worker, start: int) -> Attempt:
        """Give it to a worker; a checkpoint stays on the PC where it was made."""
        if self.attempts and self.attempts[-1].worker is not worker:
            self.checkpoint = 0
        self.status, self.hold, self.is_finishing, self.step = "running", None, False, 0
        self.attempts.append(Attempt(self, len(self.attempts) + 1, worker, start))
        return self.attempts[-1]

    def give_back(self, outcome: str, *, hold: bool = True) -> None:
        """End the current attempt without a result: back into the queue, unless that was the job's end."""
        last = self.attempts[-1]
        last.outcome = outcome
        if self.is_canceling:
            self.status = "canceled"
        elif outcome == "lost" and len(self.attempts) >= 3 and all(a.brings_down for a in self.attempts[-3:]):
            self.status = "failed"
        else:
            self.status = "queued"
            self.hold = last.worker if hold and outcome == "lost" and self.checkpoint else None
            self.is_hold_over = False


@dataclass(eq=False)
class Queue:
    """All workers and jobs. The methods are the calls: they answer, or raise Refused and change nothing."""

    workers: list[Worker]
    jobs: list[Job] = field(default_factory=list)

    def running(self, worker: Worker) -> Iterator[Job]:
        """Yield what a worker holds."""
        return (job for job in self.jobs if job.status == "running" and job.attempts[-1].worker is worker)

    def claim(self, worker: Worker, start: int, *, simulate: bool, order: list[Job]) -> tuple[Attempt, bool] | None:
        """Return the attempt and whether the job was held already; `order`: the queue as people see it."""
        require_active(worker)
        if start < worker.start:
            raise Refused("instance_conflict")
        worker.start = start
        for job in self.running(worker):
            last = job.attempts[-1]
            if simulate:
                job.give_back("released")
            elif last.start == start:
                return last, True
            else:
                job.give_back("lost")
                if job.status == "queued":
                    return job.open_attempt(worker, start), True
        queued = [job for job in order if job.status == "queued"]
        best = [job for job in queued if job.hold is worker]
        best += [job for job in queued if job.hold is None or job.is_hold_over]
        return None if simulate or worker.is_draining or not best else (best[0].open_attempt(worker, start), False)

    def require_held(self, attempt: Attempt) -> None:
        """Refuse what only the current attempt may do; a lost job that nobody took is as good as held (revive)."""
        job = attempt.job
        if job.status in TERMINAL:
            raise Refused("already_finished")
        lost = attempt.outcome == "lost" and not any(self.running(attempt.worker))
        if not attempt.is_current or not (attempt.outcome == "running" or lost):
            raise Refused("lease_lost")

    def sign_of_life(self, attempt: Attempt) -> str:
        """Renew the lease, revive."""
        require_active(attempt.worker)
        self.require_held(attempt)
        attempt.outcome, attempt.job.status, attempt.job.hold = "running", "running", None
        return attempt.job.directive()

    def progress(self, attempt: Attempt, step: int, checkpoint: int, resumed_from: int) -> str:
        """Note where it is; a lower step is a delayed packet."""
        directive = self.sign_of_life(attempt)
        job = attempt.job
        if step >= job.step:
            job.step = attempt.step = step
            job.checkpoint = max(job.checkpoint, checkpoint)
            attempt.checkpoint = max(attempt.checkpoint, checkpoint)
            attempt.resumed_from = resumed_from if attempt.resumed_from is None else attempt.resumed_from
        return directive

    def speak_for_another(self, caller: Worker, attempt: Attempt) -> None:
        """Refuse: who never held the job learns nothing of it."""
        require_active(caller)
        held = any(other.worker is caller for other in attempt.job.attempts)
        raise Refused("lease_lost" if held else "not_found")

    def append(self, attempt: Attempt, stream: str, first: int, count: int) -> tuple[int, str]:
        """Take the records that follow; never a change of state (R3)."""
        have: int = getattr(attempt, stream)
        if first > have + 1:
            raise Refused("stream_gap")
        have = max(have, first + count - 1)
        setattr(attempt, stream, have)
        is_live = attempt.is_current and attempt.outcome == "running"
        return have + 1, attempt.job.directive() if is_live else "continue"

    def complete(self, attempt: Attempt, outcome: str, lines: int) -> str:
        """End it; the same end again is answered the same."""
        require_active(attempt.worker)
        job = attempt.job
        if attempt.outcome != outcome:
            self.require_held(attempt)
            if outcome in ("completed", "failed") and lines > attempt.lines:
                raise Refused("stream_incomplete")
            attempt.outcome = outcome
            if outcome == "released":
                job.give_back(outcome)
            else:
                job.status = outcome
        return job.status

    def cancel(self, job: Job) -> None:
        """Cancel: at once in the queue, else by asking."""
        if job.status in TERMINAL:
            raise Refused("already_finished")
        if job.status == "queued":
            job.status = "canceled"
        job.is_canceling = True

    def finish(self, job: Job) -> None:
        """Ask for the best network so far."""
        if job.status in TERMINAL:
            raise Refused("already_finished")
        if job.status == "queued":
            raise Refused("not_running")
        job.is_finishing = True

    def set_active(self, worker: Worker, is_active: bool) -> None:
        """Switch a worker off or on; switched off, it loses its job and its hold."""
        worker.is_active = is_active
        if not is_active:
            for job in self.jobs:
                job.hold = None if job.hold is worker else job.hold
            for job in list(self.running(worker)):
                job.give_back("lost", hold=False)


def require_active(worker: Worker) -> None:
    """Refuse a worker that was switched off; its streams are still taken (R3)."""
    if not worker.is_active:
        raise Refused("worker_inactive")
