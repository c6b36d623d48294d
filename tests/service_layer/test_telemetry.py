"""Numbered streams: no gap, no duplicate, late is fine; and the one reader behind every live view."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from bert_training.contract.enums import Directive, ErrorCode, Outcome, Reason, Split
from bert_training.contract.limits import LINE_BYTES
from bert_training.contract.streams import LogBatch, LogLine, MetricBatch, MetricPoint
from bert_training.models import Job, JobAttempt, Log, Metric, Worker
from bert_training.services.errors import ProtocolError
from bert_training.services.jobs import cancel_job, requeue
from bert_training.services.telemetry import append_logs, append_metrics, telemetry_since
from tests.personas import claim, make_run, make_user, make_worker

pytestmark = pytest.mark.embedded
CONNECTIONS = 8
TIME = "2026-11-20T10:00:00+00:00"


def batch(job: Job, first_seq: int, *messages: str, attempt: int = 1, **line: str) -> LogBatch:
    lines = [LogLine(**{"ts": TIME, "level": "INFO", "message": message, **line}) for message in messages]
    return LogBatch(job_id=job.pk, attempt=attempt, first_seq=first_seq, lines=lines)


def messages_of(job: Job) -> list[str]:
    return list(Log.objects.filter(run=job.run_id).order_by("id").values_list("message", flat=True))


def test_lines_are_stored_in_their_order(running_job: Job, worker: Worker) -> None:
    assert append_logs(worker, batch(running_job, 1, "um", "dois")).next_seq == 3
    assert append_logs(worker, batch(running_job, 3, "três")).next_seq == 4
    assert messages_of(running_job) == ["um", "dois", "três"]


def test_a_batch_that_is_sent_again_stores_nothing_twice(running_job: Job, worker: Worker) -> None:
    for _attempt in range(2):
        assert append_logs(worker, batch(running_job, 1, "um", "dois")).next_seq == 3
    assert append_logs(worker, batch(running_job, 2, "dois", "três")).next_seq == 4
    assert messages_of(running_job) == ["um", "dois", "três"]


def test_a_gap_is_refused_with_the_number_that_is_wanted(running_job: Job, worker: Worker) -> None:
    append_logs(worker, batch(running_job, 1, "um"))
    with pytest.raises(ProtocolError) as refusal:
        append_logs(worker, batch(running_job, 3, "três"))
    assert (refusal.value.code, refusal.value.extra) == (ErrorCode.STREAM_GAP, {"next_seq": 2})
    assert messages_of(running_job) == ["um"]


def test_an_empty_batch_is_a_question_for_the_next_number(running_job: Job, worker: Worker) -> None:
    assert append_logs(worker, batch(running_job, 1)).next_seq == 1


def test_lines_arrive_late_after_the_attempt_was_lost(running_job: Job, worker: Worker, other_worker: Worker) -> None:
    requeue(running_job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    claim(other_worker, instance="machine-2:1")
    answer = append_logs(worker, batch(running_job, 1, "tarde"))
    running_job.refresh_from_db()
    assert (answer.next_seq, answer.directive) == (2, Directive.CONTINUE)
    assert (running_job.attempt, running_job.worker) == (2, other_worker)


def test_nobody_writes_into_the_stream_of_another(running_job: Job, other_worker: Worker) -> None:
    with pytest.raises(ProtocolError) as refusal:
        append_logs(other_worker, batch(running_job, 1, "intruso"))
    assert refusal.value.code == ErrorCode.NOT_FOUND
    assert messages_of(running_job) == []


def test_cancel_reaches_the_worker_with_its_next_lines(running_job: Job, worker: Worker) -> None:
    cancel_job(running_job.pk)
    assert append_logs(worker, batch(running_job, 1, "um")).directive == Directive.CANCEL


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a\x00b", "ab"),
        ("linha\rsobrescrita", "linha sobrescrita"),
        ("cor \x1b[31mvermelha\x1b[0m", "cor \x1b[31mvermelha\x1b[0m"),
        ("cursor \x1b[2J fora", "cursor  fora"),
        ("elo \x1b]8;;http://mau\x07aqui\x1b]8;;\x07", "elo aqui"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("sino \x07", "sino \ufffd"),
    ],
)
def test_lines_are_cleaned_not_refused(running_job: Job, worker: Worker, sent: str, stored: str) -> None:
    append_logs(worker, batch(running_job, 1, sent))
    assert messages_of(running_job) == [stored]


def test_a_line_that_is_too_long_is_cut_with_a_mark(running_job: Job, worker: Worker) -> None:
    append_logs(worker, batch(running_job, 1, "é" * LINE_BYTES))
    message = messages_of(running_job)[0]
    assert len(message.encode()) <= LINE_BYTES
    assert message.endswith(" [...]")


@pytest.mark.parametrize(
    "ts", ["yesterday", "1970-01-01T00:00:00+00:00", "9999-01-01T00:00:00+00:00", "2026-11-20T10:00:00"]
)
def test_a_time_that_cannot_be_true_never_blocks_the_stream(running_job: Job, worker: Worker, ts: str) -> None:
    append_logs(worker, batch(running_job, 1, "um", ts=ts))
    assert messages_of(running_job) == [f"[{ts}] um"]


@pytest.mark.parametrize("zone", ["+20:00", "-23:59", "+00:00:00.000001"])
def test_a_time_of_a_zone_that_the_database_refuses_is_stored(running_job: Job, worker: Worker, zone: str) -> None:
    ts = f"2026-11-20T10:00:00{zone}"
    append_logs(worker, batch(running_job, 1, "um", ts=ts))
    assert Log.objects.get().timestamp == datetime.fromisoformat(ts)


def test_an_unknown_level_becomes_info(running_job: Job, worker: Worker) -> None:
    append_logs(worker, batch(running_job, 1, "um", level="FATAL!!"))
    assert Log.objects.get().level == "INFO"


def test_a_full_log_is_acknowledged_but_not_stored(
    running_job: Job, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.services.telemetry.LOG_LINES_PER_RUN", 2)
    assert append_logs(worker, batch(running_job, 1, "um", "dois", "três", "quatro")).next_seq == 5
    assert messages_of(running_job)[0] == "um"
    assert "full" in messages_of(running_job)[1]
    assert len(messages_of(running_job)) == 2


def test_the_limit_of_the_log_holds_for_all_attempts_together(
    running_job: Job, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.services.telemetry.LOG_LINES_PER_RUN", 3)
    append_logs(worker, batch(running_job, 1, "um", "dois"))
    claim(worker, instance="machine-1:2")
    assert append_logs(worker, batch(running_job, 1, "a", "b", "c", attempt=2)).next_seq == 4
    assert len(messages_of(running_job)) == 3


def test_a_run_has_a_limited_number_of_figures(running_job: Job, worker: Worker) -> None:
    for first in (1, 2):
        values = {f"m{first}_{number}": 0.0 for number in range(150)}
        point = MetricPoint.of(epoch=1, step=first, split=Split.TRAIN, values=values)
        posted = MetricBatch(job_id=running_job.pk, attempt=1, first_seq=first, points=[point])
        if first == 1:
            append_metrics(worker, posted)
    with pytest.raises(ProtocolError) as refusal:
        append_metrics(worker, posted)
    assert (refusal.value.code, refusal.value.http_status) == (ErrorCode.INVALID_FIELD, 400)
    assert Metric.objects.count() == 1


def test_points_keep_what_is_not_a_number_as_a_gap(running_job: Job, worker: Worker) -> None:
    point = MetricPoint.of(epoch=1, step=3, split=Split.TRAIN, values={"loss": float("nan"), "learning_rate": 0.1})
    append_metrics(worker, MetricBatch(job_id=running_job.pk, attempt=1, first_seq=1, points=[point]))
    assert Metric.objects.get().values == {"loss": None, "learning_rate": 0.1}


def test_a_viewer_reads_only_what_is_new(running_job: Job, worker: Worker) -> None:
    append_logs(worker, batch(running_job, 1, "um", "dois"))
    first = telemetry_since(running_job.run_id)
    append_logs(worker, batch(running_job, 3, "três"))
    second = telemetry_since(running_job.run_id, logs_after=first.logs[-1]["cursor"])
    assert [line["message"] for line in first.logs] == ["um", "dois"]
    assert [(line["seq"], line["message"]) for line in second.logs] == [(3, "três")]


def test_reading_costs_two_queries_however_long_the_log(
    running_job: Job, worker: Worker, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    append_logs(worker, batch(running_job, 1, *[f"linha {number}" for number in range(400)]))
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert len(telemetry_since(running_job.run_id).logs) == 400


def test_the_counters_of_the_attempt_are_what_was_stored(running_job: Job, worker: Worker) -> None:
    append_logs(worker, batch(running_job, 1, "um", "dois"))
    attempt = JobAttempt.objects.get()
    assert (attempt.log_seq, attempt.metric_seq) == (2, 0)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_same_batches_over_many_connections_are_stored_once() -> None:
    run = make_run(make_user("dora"))
    worker = make_worker()
    job = Job.objects.get(pk=claim(worker).job_id)
    start = threading.Barrier(CONNECTIONS)

    def post() -> set[int]:
        start.wait()
        try:
            return {append_logs(worker, batch(job, 3 * number + 1, "a", "b", "c")).next_seq for number in range(20)}
        finally:
            connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = [future.result() for future in [pool.submit(post) for _number in range(CONNECTIONS)]]
    assert list(Log.objects.filter(run=run).order_by("id").values_list("seq", flat=True)) == list(range(1, 61))
    assert max(map(max, answers)) == 61


def test_a_batch_costs_two_statements_and_its_transaction(
    running_job: Job, worker: Worker, django_assert_num_queries: Any
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite counts in statements of their own, which cost it no round trips")
    with django_assert_num_queries(2 + 2):  # the test's own transaction makes ours a savepoint
        append_logs(worker, batch(running_job, 1, *[f"linha {number}" for number in range(400)]))
