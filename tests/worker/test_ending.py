"""Every way in which an attempt can end has one outcome and one reason."""

from typing import Any

import pytest

from bert_training.contract.enums import Directive, Reason
from bert_training.worker.client import Refused
from bert_training.worker.ending import Death, failed, judge_end
from bert_training.worker.exits import ExitCode
from bert_training.worker.orders import JobOrders, Stop, WorkerOrders
from bert_training.worker.process_control import describe_exit
from tests.worker.held_clock import HeldClock

QUIET = Death("exit code 0", was_killed=False, last_lines=[])
KILLED = Death("signal 9 (SIGKILL)", was_killed=True, last_lines=["working"])
HUNGRY = Death("signal 9 (SIGKILL)", was_killed=True, last_lines=["working"], lacked_memory=True)
COMPLETED = {
    "outcome": "completed",
    "result": {"metrics": {"f1": 0.5, "auc_roc": None}, "model_fingerprint": "a" * 64, "best_step": 3, "classes": []},
}


@pytest.mark.parametrize(
    ("outcome", "death", "stop", "expected", "reason"),
    [
        (COMPLETED, QUIET, Stop.NO, "completed", None),
        (COMPLETED, QUIET, Stop.CANCEL, "completed", None),  # it was done before it heard of the cancel
        (COMPLETED, QUIET, Stop.RELEASE, "completed", None),
        ({"outcome": "completed", "result": {}}, QUIET, Stop.NO, "failed", "crashed"),
        ({"outcome": "canceled"}, QUIET, Stop.CANCEL, "canceled", None),
        ({"outcome": "released"}, QUIET, Stop.CANCEL, "canceled", None),  # SIGTERM came before the word
        ({"outcome": "released"}, QUIET, Stop.NO, "released", None),  # a service manager stopped the trainer alone
        ({"outcome": "released"}, QUIET, Stop.LEASE_LOST, "released", None),
        ({"outcome": "failed", "code": "nonfinite_loss"}, QUIET, Stop.NO, "failed", "nonfinite_loss"),
        (None, KILLED, Stop.CANCEL, "canceled", None),
        (None, KILLED, Stop.RELEASE, "released", None),
        (None, KILLED, Stop.NO, "failed", "killed"),
        (None, QUIET, Stop.NO, "failed", "crashed"),
        (None, HUNGRY, Stop.NO, "failed", "out_of_memory"),
        (
            None,
            HUNGRY,
            Stop.RELEASE,
            "failed",
            "out_of_memory",
        ),  # systemd stops a unit of which a process lacked memory
        (None, HUNGRY, Stop.CANCEL, "canceled", None),
        (
            None,
            Death("exit code 1", False, ["OSError: [WinError 112] Não há espaço suficiente no disco"]),
            Stop.NO,
            "failed",
            "disk_full",
        ),
        (
            None,
            Death("exit code 1", False, ["OSError: [Errno 28] No space left on device"]),
            Stop.NO,
            "failed",
            "disk_full",
        ),
        (None, Death("exit code 1", False, ["Traceback", "MemoryError"]), Stop.NO, "failed", "out_of_memory"),
        (None, Death("signal 6", True, ["what():  std::bad_alloc"]), Stop.NO, "failed", "out_of_memory"),
    ],
)
def test_the_end_of_an_attempt(
    outcome: dict[str, Any] | None, death: Death, stop: Stop, expected: str, reason: str | None
) -> None:
    ending = judge_end(outcome, death, stop)
    assert ending.outcome == expected
    assert (ending.error.code if ending.error else None) == reason
    assert expected in ending.describe()


def test_a_long_message_is_cut_so_that_the_report_is_taken() -> None:
    error = failed(Reason.CRASHED, "x" * 100_000).error
    assert error is not None
    assert len(error.message) <= 4000


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal 9 (SIGKILL)"), (-250, "signal 250")]
)
def test_the_end_of_a_process_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def worker(clock: HeldClock) -> WorkerOrders:
    return WorkerOrders(clock.timing, grace=120.0)


def test_a_stronger_order_overrules_and_a_weaker_one_does_not(worker: WorkerOrders) -> None:
    job = JobOrders(1, 1, worker)
    stops = []
    for order in (
        worker.request_stop,
        lambda: job.obey(Directive.CANCEL),
        lambda: job.obey_refusal(Refused(409, "lease_lost", "", {"attempt": 2})),
        lambda: job.obey(Directive.CANCEL),
    ):
        order()
        stops.append(job.stop)
    assert stops == [Stop.RELEASE, Stop.CANCEL, Stop.LEASE_LOST, Stop.LEASE_LOST]


def test_orders_about_one_job_do_not_reach_the_next(worker: WorkerOrders) -> None:
    first, second = JobOrders(1, 1, worker), JobOrders(2, 1, worker)
    first.obey(Directive.CANCEL)
    first.obey(Directive.FINISH)
    assert (second.stop, second.must_finish) == (Stop.NO, False)


@pytest.mark.parametrize(
    ("error", "stop", "code"),
    [
        (Refused(403, "worker_inactive", "", {}), Stop.LEAVE, ExitCode.INACTIVE),
        (Refused(426, "protocol_too_old", "", {}), Stop.LEAVE, ExitCode.TOO_OLD),
        (Refused(404, "not_found", "", {}), Stop.GONE, None),
        (Refused(409, "already_finished", "", {"status": "canceled"}), Stop.FINISHED, None),
        (Refused(404, "dataset_gone", "", {}), Stop.NO, None),
        (Refused(400, "invalid_field", "", {}), Stop.NO, None),
        (Refused(409, "instance_conflict", "", {}), Stop.NO, None),
    ],
)
def test_which_refusals_decide_about_a_job(
    worker: WorkerOrders, error: Refused, stop: Stop, code: ExitCode | None
) -> None:
    job = JobOrders(1, 1, worker)
    assert job.obey_refusal(error) is (stop is not Stop.NO)
    assert job.stop is stop
    assert worker.exit_code is code


def test_the_first_reason_to_leave_stays(worker: WorkerOrders) -> None:
    worker.leave(ExitCode.INACTIVE)
    worker.leave(ExitCode.TOO_OLD)
    assert worker.exit_code is ExitCode.INACTIVE


def test_the_grace_runs_from_the_first_request_and_insisting_shortens_it(
    worker: WorkerOrders, clock: HeldClock
) -> None:
    assert (worker.is_out_of_time, worker.grace_left) == (False, 120.0)
    worker.request_stop()
    clock.now = 100.0
    assert (worker.is_out_of_time, worker.must_kill, worker.grace_left) == (False, False, 20.0)
    worker.request_stop()
    assert (worker.is_out_of_time, worker.must_kill) == (False, True)
    clock.now = 111.0
    assert worker.is_out_of_time


def test_drain_ends_with_the_word_continue_only(worker: WorkerOrders) -> None:
    job = JobOrders(1, 1, worker)
    job.obey(Directive.DRAIN)
    job.obey(Directive.CANCEL)
    assert worker.is_draining
    job.obey(Directive.CONTINUE)
    assert not worker.is_draining
