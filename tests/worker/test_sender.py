"""The sender delivers a whole spool in order, whatever the portal says in between."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bert_training.contract.enums import Split
from bert_training.contract.limits import JSON_BODY_BYTES
from bert_training.contract.streams import MetricPoint
from bert_training.worker import sender, spool
from bert_training.worker.orders import JobOrders, Stop
from bert_training.worker.send_streams import REFUSED_LINE
from bert_training.worker.sender import Sender
from bert_training.worker.spool import LOG, METRIC, PREDICTION, SpoolWriter
from tests.worker.fake_portal import Answer, FakePortal, error
from tests.worker.held_clock import HeldClock
from tests.worker.supervisors import LocalSupervisor

KEY = (5, 1)


class Delivery:
    """One spool with its sender."""

    def __init__(self, supervisor: LocalSupervisor, path: Path) -> None:
        self.context = supervisor.context
        self.path = path
        self.writer = SpoolWriter(path)
        self.orders = JobOrders(*KEY, self.context.orders)
        self.sender = Sender(path, self.orders, self.context)

    def write(self, *messages: str) -> None:
        for message in messages:
            self.writer.append_log("INFO", message, ts=datetime.now(UTC))

    def restart(self) -> None:
        """Begin anew from what is on the disk, as a new process would."""
        self.sender = Sender(self.path, self.orders, self.context)

    def finish(self) -> bool:
        """Send to the end; tell whether all was acknowledged within 10 s."""
        self.sender.start()
        return self.finish_sealed()

    def finish_sealed(self) -> bool:
        """Let the sender that was started send to the end."""
        self.sender.seal()
        deadline = time.monotonic() + 10
        return self.sender.wait_drained(lambda: time.monotonic() > deadline)


@pytest.fixture
def delivery(portal: FakePortal, tmp_path: Path) -> Iterator[Delivery]:
    delivery = Delivery(LocalSupervisor(portal, tmp_path / "models"), tmp_path / "attempt-1.jsonl")
    yield delivery
    delivery.sender.stop()


def stored(portal: FakePortal) -> list[str]:
    return [line["message"] for line in portal.lines.get(KEY, [])]


def numbered(count: int) -> list[str]:
    return [f"line {number}" for number in range(1, count + 1)]


def test_batches_hold_at_most_500_lines(portal: FakePortal, delivery: Delivery) -> None:
    delivery.write(*numbered(1201))
    assert delivery.finish()
    assert [len(request.json()["lines"]) for request in portal.sent_to("/logs/batch")] == [500, 500, 201]
    assert stored(portal) == numbered(1201)


def test_batches_stay_below_the_body_limit(portal: FakePortal, delivery: Delivery) -> None:
    delivery.write(*(f"{number} " + "ã" * 7000 for number in range(200)))
    assert delivery.finish()
    assert max(len(request.body) for request in portal.requests) <= JSON_BODY_BYTES
    assert len(stored(portal)) == 200


def test_a_gap_makes_the_sender_go_back(portal: FakePortal, delivery: Delivery) -> None:
    delivery.write(*numbered(600))

    def forget(_request: object) -> Answer | None:
        have = portal.lines.get(KEY, [])
        if not have:
            return None
        del have[100:]
        return error(409, "stream_gap", next_seq=101)

    portal.inject("/logs/batch", forget)
    assert delivery.finish()
    assert stored(portal) == numbered(600)


def test_a_refused_line_is_replaced_and_the_others_arrive(portal: FakePortal, delivery: Delivery) -> None:
    portal.refuses_line = lambda message: "guilty" in message
    delivery.write(*numbered(300), "guilty", *numbered(20), "guilty too", *numbered(5))
    assert delivery.finish()
    assert stored(portal) == [*numbered(300), REFUSED_LINE, *numbered(20), REFUSED_LINE, *numbered(5)]
    assert b"guilty" in delivery.path.read_bytes()


def test_a_refused_point_is_sent_without_its_values(portal: FakePortal, delivery: Delivery) -> None:
    for step in range(1, 6):
        values = {"poison": 1.0} if step == 3 else {"loss": 1.0}
        delivery.writer.append_metric(MetricPoint.of(epoch=1, step=step, split=Split.TRAIN, values=values))
    portal.inject(
        "/metrics", lambda request: error(400, "invalid_field") if b"poison" in request.body else None, times=99
    )
    assert delivery.finish()
    assert [(point["step"], point["values"]) for point in portal.points[KEY]] == [
        (1, {"loss": 1.0}),
        (2, {"loss": 1.0}),
        (3, {}),
        (4, {"loss": 1.0}),
        (5, {"loss": 1.0}),
    ]


def test_a_batch_that_is_too_large_is_halved(portal: FakePortal, delivery: Delivery) -> None:
    portal.inject(
        "/logs/batch", lambda request: Answer(413, "<html>") if len(request.body) > 9000 else None, times=10_000
    )
    delivery.write(*numbered(400))
    assert delivery.finish()
    assert stored(portal) == numbered(400)


def test_lost_answers_double_nothing(portal: FakePortal, delivery: Delivery) -> None:
    for times in range(3):
        portal.inject("/logs/batch", Answer(200, drop=True), times=times)
    delivery.write(*numbered(900))
    assert delivery.finish()
    assert stored(portal) == numbered(900)


def test_after_a_restart_only_what_is_missing_is_sent(portal: FakePortal, delivery: Delivery) -> None:
    delivery.write(*numbered(700))
    assert delivery.finish()
    delivery.write(*numbered(3))
    delivery.restart()
    assert delivery.finish()
    assert stored(portal) == [*numbered(700), *numbered(3)]
    assert portal.sent_to("/logs/batch")[-1].json()["first_seq"] == 701


def test_a_portal_that_knows_more_than_the_sender_moves_it_forward(portal: FakePortal, delivery: Delivery) -> None:
    delivery.write(*numbered(700))
    assert delivery.finish()
    (delivery.path.parent / "acked-1.json").unlink()
    delivery.restart()
    sent = len(portal.sent_to("/logs/batch"))
    assert delivery.finish()
    assert len(portal.sent_to("/logs/batch")) == sent + 1
    assert stored(portal) == numbered(700)


def test_a_damaged_line_of_the_spool_arrives_as_a_notice(portal: FakePortal, delivery: Delivery) -> None:
    delivery.write("first")
    with delivery.path.open("ab") as file:
        file.write(b"garbage\n")
    delivery.write("third")
    assert delivery.finish()
    assert stored(portal) == ["first", "[unreadable line in the spool]", "third"]


def test_the_first_line_is_sent_at_once(portal: FakePortal, delivery: Delivery) -> None:
    delivery.sender.start()
    delivery.write("first")
    portal.wait_for(lambda: stored(portal) == ["first"], seconds=2)


@pytest.mark.parametrize(
    ("answer", "stop"), [(error(404, "not_found"), Stop.GONE), (error(403, "worker_inactive"), Stop.LEAVE)]
)
def test_a_refusal_that_ends_the_job_ends_the_sender(
    portal: FakePortal, delivery: Delivery, answer: Answer, stop: Stop
) -> None:
    portal.inject("/logs/batch", answer, times=1000)
    delivery.write("first")
    assert not delivery.finish()
    assert delivery.orders.stop is stop


def test_an_endless_log_is_sent_up_to_its_limit_and_its_figures_whole(
    portal: FakePortal, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "SENT_LOG_BYTES", 5000)
    delivery.write(*numbered(200))
    delivery.writer.append_metric(MetricPoint.of(epoch=1, step=7, split=Split.TRAIN, values={"loss": 1.0}))
    delivery.restart()
    assert delivery.finish()
    counts = spool.count_records(delivery.path)
    assert 0 < counts[spool.LOG] < 100
    assert stored(portal) == numbered(counts[spool.LOG])
    assert [point["step"] for point in portal.points[KEY]] == [7]
    assert counts[spool.METRIC] == 1


def test_a_stream_that_is_not_taken_for_a_week_is_given_up_and_not_before(
    portal: FakePortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "GIVEN_UP_SECONDS", 600.0)  # a week of repetitions takes too long
    clock = HeldClock()
    worker = LocalSupervisor(portal, tmp_path / "models", timing=clock.timing)
    delivery = Delivery(worker, tmp_path / "attempt-1.jsonl")
    delivery.write(*numbered(3))
    portal.inject("/logs/batch", error(422, "unheard_of"), times=10**6)
    assert not delivery.finish()
    assert clock.now >= 600
    assert delivery.sender.is_given_up
    assert delivery.sender.delivered == {LOG: 0, METRIC: 0, PREDICTION: 0}


def test_a_quiet_week_is_no_refusal(portal: FakePortal, tmp_path: Path) -> None:
    clock = HeldClock()
    delivery = Delivery(LocalSupervisor(portal, tmp_path / "models", timing=clock.timing), tmp_path / "attempt-1.jsonl")
    delivery.write("before")
    delivery.sender.start()
    while not (tmp_path / "acked-1.json").exists():  # written when the answer was taken in
        time.sleep(0.001)
    clock.now += 2 * sender.GIVEN_UP_SECONDS
    while delivery.sender.is_given_up:  # until it has looked again
        time.sleep(0.001)
    delivery.write("after")
    assert delivery.finish_sealed()
    assert stored(portal) == ["before", "after"]
