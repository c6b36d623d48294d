"""Judges how an attempt ended, from what the trainer left behind and what it was told. Pure: no files, no network."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bert_training.contract.enums import Outcome, Reason
from bert_training.contract.messages import FailureReport, Result
from bert_training.ml.keeping.folders import says_disk_full
from bert_training.worker.orders import Stop

MESSAGE_CHARACTERS = 2000
_MEMORY_WORDS = ("MemoryError", "std::bad_alloc", "DefaultCPUAllocator: can't allocate")


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, in the contract's words."""

    outcome: Outcome
    error: FailureReport | None = None
    result: Result | None = None

    @property
    def is_failure(self) -> bool:
        """Tell whether something went wrong; a pause names its reason too."""
        return self.outcome is Outcome.FAILED

    def describe(self) -> str:
        """Return one line for the log."""
        if self.error is None:
            return f"The attempt ended: {self.outcome.value}."
        return f"The attempt ended: {self.outcome.value} ({self.error.code}). {self.error.message}"


@dataclass(frozen=True)
class Death:
    """How the trainer's process ended, in words, whether a signal did it, its last lines.

    lacked_memory: the kernel killed some process of ours for want of memory meanwhile.
    """

    words: str
    was_killed: bool
    last_lines: list[str]
    lacked_memory: bool = False


def failed(reason: Reason, message: str) -> Ending:
    """Return a failure with one sentence."""
    return Ending(Outcome.FAILED, error=FailureReport(code=reason.value, message=message[:MESSAGE_CHARACTERS]))


def stopped(stop: Stop) -> Ending:
    """Return the end of an attempt that was told to stop."""
    if stop is Stop.PAUSE:
        why = FailureReport(code=Reason.PAUSED.value, message="It goes on here when this worker takes runs again.")
        return Ending(Outcome.RELEASED, error=why)
    return Ending(Outcome.CANCELED if stop is Stop.CANCEL else Outcome.RELEASED)


def judge_end(outcome: dict[str, Any] | None, death: Death, stop: Stop) -> Ending:
    """Judge the end of a trainer; `outcome` is what it said itself, None when it died without a word."""
    word = outcome.get("outcome") if outcome else None
    if outcome and word == Outcome.COMPLETED:
        return _completed(outcome)
    # A service manager may stop the worker because the kernel killed the trainer. Released, the job would do it again.
    if stop and not (stop in (Stop.PAUSE, Stop.RELEASE) and death.lacked_memory):
        return stopped(stop)
    if word in (Outcome.CANCELED, Outcome.RELEASED):
        return Ending(Outcome(word))
    if outcome and word == Outcome.FAILED:
        return failed(Reason(outcome["code"]), str(outcome.get("message", "")))
    return _died(death)


def _completed(outcome: dict[str, Any]) -> Ending:
    try:
        return Ending(Outcome.COMPLETED, result=Result.model_validate(outcome["result"]))
    except (ValidationError, KeyError) as error:
        return failed(Reason.CRASHED, f"The trainer's result is unreadable: {error}")


def _died(death: Death) -> Ending:
    last = death.last_lines[-1] if death.last_lines else "it printed nothing"
    if says_disk_full(last):  # it found no room for its outcome either
        return failed(Reason.DISK_FULL, f"The trainer found the disk full ({death.words}): {last}")
    if death.lacked_memory or any(word in line for line in death.last_lines for word in _MEMORY_WORDS):
        return failed(Reason.OUT_OF_MEMORY, f"The trainer ran out of memory ({death.words}).")
    if death.was_killed:
        return failed(Reason.KILLED, f"The trainer was killed by {death.words}.")
    return failed(Reason.CRASHED, f"The trainer ended with {death.words}; its last line: {last}")
