"""How the supervisor asks for work, beats, and keeps its folder, on a clock that a test holds."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bert_training.worker import loop
from bert_training.worker.client import Unavailable
from bert_training.worker.exits import ExitCode
from bert_training.worker.loop import ClaimLoop
from bert_training.worker.model_store import FolderInUse, ModelStore
from bert_training.worker.orders import JobOrders
from tests.worker.fake_portal import Answer, FakePortal, error
from tests.worker.held_clock import HeldClock
from tests.worker.supervisors import LocalSupervisor


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def worker(portal: FakePortal, clock: HeldClock, tmp_path: Path) -> Iterator[LocalSupervisor]:
    """A supervisor that is not started; its poll interval is 30 s."""
    worker = LocalSupervisor(portal, tmp_path / "models", timing=clock.timing, poll_interval=30.0)
    yield worker
    worker.context.client.close()


def claim_times(portal: FakePortal, worker: LocalSupervisor, clock: HeldClock, *, count: int) -> list[float]:
    """Let the loop claim `count` times in vain; returns when, rounded to seconds."""
    times: list[float] = []

    def note(_request: object) -> None:
        times.append(round(clock.now, 0))
        if len(times) == count:
            worker.context.orders.request_stop()

    portal.inject("/jobs/claim", note)
    ClaimLoop(worker.context).run()
    return times


def test_an_idle_worker_asks_as_often_as_the_portal_likes(
    portal: FakePortal, worker: LocalSupervisor, clock: HeldClock
) -> None:
    portal.retry_after = "5"
    assert claim_times(portal, worker, clock, count=4) == [0, 5, 10, 15]


def test_an_idle_worker_never_waits_longer_than_its_poll_interval(
    portal: FakePortal, worker: LocalSupervisor, clock: HeldClock
) -> None:
    portal.retry_after = "3600"
    assert claim_times(portal, worker, clock, count=3) == [0, 30, 60]


def test_a_wait_of_zero_is_not_a_storm(portal: FakePortal, worker: LocalSupervisor, clock: HeldClock) -> None:
    portal.retry_after = "0"
    claim_times(portal, worker, clock, count=21)
    assert clock.now >= 1


def test_a_full_disk_takes_no_real_job(
    portal: FakePortal, clock: HeldClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "FREE_DISK_BYTES", 2**60)
    worker = LocalSupervisor(portal, tmp_path / "models", timing=clock.timing, dry_run=False)
    clock.events.append((100.0, worker.context.orders.request_stop))
    assert ClaimLoop(worker.context).run() is ExitCode.STOPPED
    assert portal.requests == []


def test_a_full_disk_is_cleaned_up_all_the_same(
    clock: HeldClock, portal: FakePortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "FREE_DISK_BYTES", 2**60)
    worker = LocalSupervisor(portal, tmp_path / "models", timing=clock.timing, dry_run=False)
    old = worker.store.datasets / f"{'a' * 64}.parquet"
    old.touch()
    os.utime(old, (0, 0))
    clock.events.append((100.0, worker.context.orders.request_stop))
    ClaimLoop(worker.context).run()
    assert not old.exists()


def test_a_conflict_is_waited_out_for_two_leases(portal: FakePortal, worker: LocalSupervisor, clock: HeldClock) -> None:
    portal.inject("/jobs/claim", error(409, "instance_conflict", retry_after=60.0), times=99)
    assert ClaimLoop(worker.context).run() is ExitCode.CONFLICT
    assert 120 <= clock.now < 200


def test_a_conflict_that_ends_is_forgotten(portal: FakePortal, worker: LocalSupervisor, clock: HeldClock) -> None:
    portal.inject("/jobs/claim", error(409, "instance_conflict", retry_after=60.0), times=2)
    clock.events.append((300.0, worker.context.orders.request_stop))
    assert ClaimLoop(worker.context).run() is ExitCode.STOPPED


@pytest.mark.parametrize(
    ("answer", "code"),
    [(error(403, "worker_inactive"), ExitCode.INACTIVE), (error(426, "protocol_too_old", min=2), ExitCode.TOO_OLD)],
)
def test_an_idle_worker_that_may_not_go_on_ends(
    portal: FakePortal, worker: LocalSupervisor, answer: Answer, code: ExitCode
) -> None:
    portal.inject("/jobs/claim", answer)
    assert ClaimLoop(worker.context).run() is code


def test_any_other_refusal_is_asked_again_later(portal: FakePortal, worker: LocalSupervisor, clock: HeldClock) -> None:
    portal.inject("/jobs/claim", error(403, "forbidden"), times=3)
    clock.events.append((200.0, worker.context.orders.request_stop))
    assert ClaimLoop(worker.context).run() is ExitCode.STOPPED
    assert len(portal.sent_to("/jobs/claim")) > 3


def test_a_heartbeat_tells_state_job_and_free_disk(portal: FakePortal, worker: LocalSupervisor) -> None:
    context = worker.context
    context.heartbeat.gauges.read()
    context.heartbeat.beat()
    context.heartbeat.attach(JobOrders(7, 2, context.orders))
    context.heartbeat.beat()
    context.orders.request_stop()
    context.heartbeat.beat()
    idle, busy, stopping = (request.json() for request in portal.requests)
    assert (idle["state"], idle["job_id"]) == ("idle", None)
    assert (busy["state"], busy["job_id"], busy["attempt"]) == ("busy", 7, 2)
    assert stopping["state"] == "draining"
    assert idle["disk_free"] > 0


@pytest.mark.parametrize(("wish", "obeyed"), [(0.0, 0.05), (3.0, 3.0), (1e9, 300.0)])
def test_a_heartbeat_interval_out_of_reason_is_not_obeyed(
    portal: FakePortal, worker: LocalSupervisor, wish: float, obeyed: float
) -> None:
    portal.heartbeat_seconds = wish
    worker.context.heartbeat.beat()
    assert worker.context.heartbeat.heartbeat_seconds == obeyed


def test_a_heartbeat_waits_at_most_its_interval_whatever_the_portal_wishes(
    worker: LocalSupervisor, clock: HeldClock
) -> None:
    context = worker.context
    away = Unavailable("away", retry_after=900.0)
    context.retrier.wait_after(away, 1, what="heartbeat", give_up=lambda: False, at_most=15.0)
    assert clock.now == pytest.approx(15.0, abs=0.2)


def test_each_start_has_a_greater_number_and_the_same_machine(tmp_path: Path) -> None:
    first, second = ModelStore(tmp_path).next_instance(), ModelStore(tmp_path).next_instance()
    assert first.endswith(":1")
    assert second == first.removesuffix(":1") + ":2"


@pytest.mark.parametrize("content", ["", "{", '{"machine_id": 5, "start": "x"}', "[]"])
def test_a_damaged_worker_file_makes_a_new_machine(tmp_path: Path, content: str) -> None:
    (tmp_path / "worker.json").write_text(content)
    assert ModelStore(tmp_path).next_instance().endswith(":1")
    assert json.loads((tmp_path / "worker.json").read_text())["start"] == 1


def test_one_folder_serves_one_supervisor_until_it_ends(tmp_path: Path) -> None:
    first, second = ModelStore(tmp_path), ModelStore(tmp_path)
    first.acquire()
    with pytest.raises(FolderInUse, match="--models-dir"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_worker_that_ends_says_so(portal: FakePortal, worker: LocalSupervisor) -> None:
    worker.context.heartbeat.say_goodbye()
    assert [request.json()["state"] for request in portal.requests] == ["stopped"]


def test_a_worker_that_ends_does_not_wait_for_a_portal_that_is_away(
    portal: FakePortal, worker: LocalSupervisor
) -> None:
    portal.inject("heartbeat", error(503, "unavailable"), times=10**6)
    worker.context.heartbeat.start()
    portal.wait_for(lambda: len(portal.requests) > 1)  # the second comes after the first failure was noted
    worker.context.heartbeat.say_goodbye()
    assert "stopped" not in [request.json()["state"] for request in portal.requests]
