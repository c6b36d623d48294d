"""What a worker could not send before it ended follows after its next start, in order, once."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bert_training.contract.enums import Directive
from bert_training.worker import end_report, tails
from bert_training.worker.orders import WorkerOrders
from bert_training.worker.sender import is_delivered
from bert_training.worker.simulation import SPEED_VARIABLE
from bert_training.worker.spool import SpoolWriter, mend_file
from bert_training.worker.tails import TAKEN_SECONDS, PastOrders
from bert_training.worker.trainer_orders import spool_path
from tests.worker.fake_portal import FakePortal, error
from tests.worker.held_clock import HeldClock
from tests.worker.supervisors import LocalSupervisor

Start = Callable[..., LocalSupervisor]
EIGHT_DAYS = TAKEN_SECONDS + 24 * 3600


@pytest.fixture
def leave(tmp_path: Path) -> Callable[..., Path]:
    """Write the spool of an attempt as a worker that died left it."""

    def leave(job_id: int, *messages: str, attempt: int = 1, age_seconds: float = 60.0, torn: bytes = b"") -> Path:
        folder = tmp_path / "models" / "jobs" / str(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        spool = spool_path(folder, attempt)
        writer = SpoolWriter(spool)
        for message in messages:
            writer.append_log("INFO", message, ts=datetime.now(UTC))
        writer.close()
        with spool.open("ab") as file:
            file.write(torn)
        written_at = time.time() - age_seconds
        os.utime(spool, (written_at, written_at))
        return spool

    return leave


def stored(portal: FakePortal, job_id: int, attempt: int = 1) -> list[str]:
    return [line["message"] for line in portal.lines.get((job_id, attempt), [])]


def test_logs_of_earlier_starts_follow_oldest_first_while_a_new_job_runs(
    portal: FakePortal, start_worker: Start, leave: Callable[..., Path]
) -> None:
    leave(8, "b1", "b2", age_seconds=20)
    leave(7, "a1", age_seconds=30)
    leave(8, "c1", attempt=2, age_seconds=10)
    portal.enqueue(job_id=9)
    start_worker()
    portal.wait_for(lambda: portal.ends and all(stored(portal, *key) for key in ((7, 1), (8, 1), (8, 2))))
    assert [stored(portal, *key) for key in ((7, 1), (8, 1), (8, 2))] == [["a1"], ["b1", "b2"], ["c1"]]
    late = [request.json()["job_id"] for request in portal.sent_to("/logs/batch") if request.json()["job_id"] != 9]
    assert late[0] == 7
    assert portal.ends[0]["outcome"] == "completed"


def test_what_was_delivered_is_not_sent_again(
    portal: FakePortal, start_worker: Start, leave: Callable[..., Path]
) -> None:
    spool = leave(7, "a1", "a2")
    first = start_worker()
    portal.wait_for(lambda: is_delivered(spool))
    first.stop()
    assert stored(portal, 7) == ["a1", "a2"]
    sent = len(portal.sent_to("/logs/batch"))
    portal.enqueue()
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert [request for request in portal.sent_to("/logs/batch")[sent:] if request.json()["job_id"] == 7] == []


def test_a_torn_last_line_is_cut_before_it_is_sent(
    portal: FakePortal, start_worker: Start, leave: Callable[..., Path]
) -> None:
    leave(7, "whole", torn=b'{"kind":"log","message":"half a li')
    leave(8, "the next", age_seconds=1)
    start_worker()
    portal.wait_for(lambda: stored(portal, 8))
    assert stored(portal, 7) == ["whole"]


def test_the_log_of_a_job_that_the_portal_knows_no_longer_is_given_up(
    portal: FakePortal, start_worker: Start, leave: Callable[..., Path]
) -> None:
    gone = leave(7, "a1")
    leave(8, "b1", age_seconds=1)
    portal.inject("/logs/batch", error(404, "not_found"))
    start_worker()
    portal.wait_for(lambda: stored(portal, 8))
    assert is_delivered(gone)


def test_a_log_that_the_portal_takes_no_more_is_not_sent(
    portal: FakePortal, start_worker: Start, leave: Callable[..., Path]
) -> None:
    leave(7, "a1", age_seconds=EIGHT_DAYS)
    leave(8, "b1")
    start_worker()
    portal.wait_for(lambda: stored(portal, 8))
    assert stored(portal, 7) == []


def test_a_log_that_cannot_be_opened_ends_no_worker(
    portal: FakePortal, start_worker: Start, leave: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = leave(7, "written by another user of this computer")
    leave(8, "b1")
    mend = mend_file

    def refuse(path: Path) -> None:
        if path == theirs:
            raise PermissionError(13, "Permission denied", str(path))
        mend(path)

    monkeypatch.setattr(tails, "mend_file", refuse)
    start_worker()
    portal.wait_for(lambda: stored(portal, 8))


def test_what_a_lost_attempt_left_in_this_start_follows_too(
    portal: FakePortal, start_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: the portal takes the job away while it takes no lines, and gives it out again."""
    monkeypatch.setattr(end_report, "TAIL_SECONDS", 1.0)
    monkeypatch.setenv(SPEED_VARIABLE, "100")
    first, second = 1, 2
    job = portal.enqueue(attempt=first)
    portal.inject("/logs/batch", error(503, "storage_full"), times=10**6)
    start_worker()
    portal.wait_for(lambda: portal.progress and portal.progress[-1]["step"] > 5)
    portal.held = None
    portal.enqueue(job_id=job.job_id, run_id=job.run_id, attempt=second)
    portal.inject("/progress", error(409, "lease_lost", attempt=second))
    portal.wait_for(lambda: any(entry["attempt"] == second for entry in portal.progress))
    portal.heal()
    portal.wait_for(lambda: portal.ends and stored(portal, job.job_id, first))
    portal.wait_for(lambda: stored(portal, job.job_id, first)[-1].startswith("The attempt ended: "))
    assert portal.ends[0]["attempt"] == second
    assert stored(portal, job.job_id, first)[0].startswith("Worker took simulated run")


def test_the_answer_to_a_late_log_does_not_end_a_drain() -> None:
    worker = WorkerOrders(HeldClock().timing, grace=1)
    worker.is_draining = True
    PastOrders(7, 1, worker).obey(Directive.CONTINUE)
    assert worker.is_draining
