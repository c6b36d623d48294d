"""Predictions reach the portal all together or not at all, whatever line and portal do; no run waits for them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.enums import Outcome
from bert_training.contract.limits import ENTITIES_PER_ROW, JSON_BODY_BYTES
from bert_training.contract.messages import ClaimedJob, Result
from bert_training.worker.end_report import EndReport
from bert_training.worker.ending import Ending
from bert_training.worker.orders import JobOrders
from bert_training.worker.sender import Sender
from bert_training.worker.spool import PREDICTION, SpoolWriter, count_records
from tests.worker.fake_portal import Answer, FakePortal, Recorded, error
from tests.worker.supervisors import LocalSupervisor

COMPLETED = Ending(
    Outcome.COMPLETED,
    result=Result(metrics={}, model_fingerprint="0" * 64, best_step=1, classes=[], prediction_digest="1" * 64),
)


def rows(count: int) -> list[dict[str, Any]]:
    """Predictions with 100 classes: 300 bytes each."""
    head = {"split": "test", "source": "network", "gold": 0, "predicted": 1, "p": "AAAA" * 67}
    return [{"row": row, "unit": row, **head} for row in range(2, count + 2)]


class Attempt:
    """One attempt at a job whose trainer has ended."""

    def __init__(self, portal: FakePortal, folder: Path) -> None:
        self.portal = portal
        self.job: ClaimedJob = portal.enqueue(wants_predictions=True)
        portal.held = portal.queue.pop()
        self.spool = folder / "attempt-1.jsonl"
        self.writer = SpoolWriter(self.spool)
        self.context = LocalSupervisor(portal, folder / "models").context
        self.orders = JobOrders(self.job.job_id, 1, self.context.orders)
        self.sender = Sender(self.spool, self.orders, self.context, sends_predictions=True)

    def complete(self) -> dict[str, Any]:
        """Send everything and report the end, as job_runner does. Returns what the portal was told."""
        self.writer.append_log("INFO", "the last word", ts=datetime.now(UTC))
        self.writer.close()
        self.sender.start()
        self.sender.seal()
        assert EndReport(self.context, self.orders, self.sender, count_records(self.spool)).deliver(COMPLETED)
        return self.portal.ends[-1]

    @property
    def arrived(self) -> list[int]:
        return [each["row"] for each in self.portal.answers.get((self.job.job_id, 1), [])]


@pytest.fixture
def attempt(portal: FakePortal, tmp_path: Path) -> Iterator[Attempt]:
    attempt = Attempt(portal, tmp_path)
    yield attempt
    attempt.sender.stop()


def test_all_predictions_arrive_before_the_end_is_reported(portal: FakePortal, attempt: Attempt) -> None:
    attempt.writer.append_predictions(rows(1201))
    end = attempt.complete()
    assert (end["prediction_seq"], end["result"]["prediction_digest"]) == (1201, "1" * 64)
    assert attempt.arrived == [row["row"] for row in rows(1201)]
    sent = portal.sent_to("/predictions")
    assert [len(request.json()["rows"]) for request in sent] == [500, 500, 201]


def test_long_predictions_stay_below_the_body_limit(portal: FakePortal, attempt: Attempt) -> None:
    attempt.writer.append_predictions(row | {"p": "AAAA" * 1000} for row in rows(600))
    assert attempt.complete()["prediction_seq"] == 600
    assert max(len(request.body) for request in portal.requests) <= JSON_BODY_BYTES


@pytest.mark.parametrize("seed", range(2))
def test_a_bad_line_changes_nothing(portal: FakePortal, attempt: Attempt, seed: int) -> None:
    chance = random.Random(seed)
    expected = rows(2500)
    attempt.writer.append_predictions(expected)

    def harm(_request: Recorded) -> Answer | None:
        have = portal.answers.get((attempt.job.job_id, 1), [])
        kind = chance.choice(["lost answer", "forgotten", "too large", "well"])
        if kind == "lost answer":
            return Answer(200, drop=True)
        if kind == "forgotten" and have:  # of a database that was put back
            del have[chance.randrange(len(have)) :]
            return error(409, "stream_gap", next_seq=len(have) + 1)
        return Answer(413, "<html>") if kind == "too large" else None

    portal.inject("/predictions", harm, times=25)
    assert attempt.complete()["prediction_seq"] == 2500
    assert attempt.arrived == [row["row"] for row in expected]


def test_a_portal_that_lost_some_gets_them_again_at_the_end(portal: FakePortal, attempt: Attempt) -> None:
    attempt.writer.append_predictions(rows(700))

    def forget(_request: Recorded) -> Answer:
        del portal.answers[(attempt.job.job_id, 1)][300:]
        return error(409, "stream_incomplete", log_seq=1, metric_seq=0, prediction_seq=300)

    portal.inject("/complete", forget)
    assert attempt.complete()["prediction_seq"] == 700
    assert len(attempt.arrived) == 700


def test_a_prediction_that_the_portal_refuses_costs_the_proof_and_not_the_run(
    portal: FakePortal, attempt: Attempt
) -> None:
    attempt.writer.append_predictions(rows(600))
    refused = {"times": 0}

    def refuse(request: Recorded) -> Answer | None:
        if not any(row["row"] == 100 for row in request.json()["rows"]):
            return None
        refused["times"] += 1
        return error(400, "invalid_field")

    portal.inject("/predictions", refuse, times=100)
    end = attempt.complete()
    assert (end["outcome"], end["prediction_seq"]) == ("completed", 0)
    assert refused["times"] <= 20  # halved until one is left
    assert portal.messages(attempt.job) == ["the last word"]


def test_a_row_that_is_too_long_costs_the_proof_and_not_the_run(portal: FakePortal, attempt: Attempt) -> None:
    entities = rows(3)
    entities[1] |= {"gold": [[0, 1, "A"]] * (ENTITIES_PER_ROW + 1), "predicted": []}
    attempt.writer.append_predictions(entities)
    assert attempt.complete()["prediction_seq"] == 0


def test_a_portal_that_does_not_ask_for_predictions_gets_none(portal: FakePortal, attempt: Attempt) -> None:
    attempt.sender = Sender(attempt.spool, attempt.orders, attempt.context)
    attempt.writer.append_predictions(rows(5))
    assert attempt.complete()["prediction_seq"] == 0
    assert not portal.sent_to("/predictions")


def test_how_far_predictions_were_sent_outlives_a_restart(attempt: Attempt) -> None:
    attempt.writer.append_predictions(rows(700))
    attempt.complete()
    again = Sender(attempt.spool, attempt.orders, attempt.context, sends_predictions=True)
    assert again.delivered[PREDICTION] == 700
