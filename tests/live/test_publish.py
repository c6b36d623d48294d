"""The doorbell: rung after the commit, and never in the way of who rings."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from bert_training.contract.streams import LogBatch, LogLine
from bert_training.live import publish
from bert_training.live.publish import LayerHealth, add_listener, remove_listener, ring
from bert_training.models import Job, Run, Worker
from bert_training.services.telemetry import append_logs
from tests.processes import wait_until

pytestmark = pytest.mark.embedded


class BrokenLayer:
    """A channel layer whose Redis is away."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked_for = 0

    def get(self) -> "BrokenLayer":
        self.asked_for += 1
        return self

    async def group_send(self, _group: str, _message: dict[str, Any]) -> None:
        self.calls += 1
        raise RedisConnectionError("connection refused")


@pytest.fixture
def broken_layer(monkeypatch: pytest.MonkeyPatch) -> BrokenLayer:
    layer = BrokenLayer()
    monkeypatch.setattr(publish, "get_channel_layer", layer.get)
    monkeypatch.setattr(publish, "layer_health", LayerHealth())
    return layer


def test_a_layer_that_is_away_fails_nobody_and_is_counted(broken_layer: BrokenLayer) -> None:
    ring(1)
    wait_until(lambda: publish.layer_health.failures == 1)


def test_a_layer_that_failed_is_left_alone_for_a_while(broken_layer: BrokenLayer) -> None:
    ring(1)
    wait_until(lambda: publish.layer_health.failures == 1)
    ring(2)
    wait_until(lambda: broken_layer.asked_for == 4)  # by each ring and by the thread that sends
    assert broken_layer.calls == 1


def test_viewers_in_this_process_are_rung_without_the_layer(broken_layer: BrokenLayer) -> None:
    heard: list[int] = []

    def listener() -> None:
        heard.append(1)

    add_listener(7, listener)
    ring(7)
    ring(8)
    remove_listener(7, listener)
    ring(7)
    assert heard == [1]


def test_lines_ring_after_their_commit_and_not_before(
    run: Run, running_job: Job, worker: Worker, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[int] = []

    def listener() -> None:
        heard.append(1)

    add_listener(run.pk, listener)
    line = LogLine(ts="2026-11-20T10:00:00+00:00", message="um")
    with django_capture_on_commit_callbacks() as callbacks:
        append_logs(worker, LogBatch(job_id=running_job.pk, attempt=1, first_seq=1, lines=[line]))
        assert heard == []
    for callback in callbacks:
        callback()
    remove_listener(run.pk, listener)
    assert heard == [1]


def test_rings_of_many_runs_travel_to_other_processes_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    class Layer(BrokenLayer):
        async def group_send(self, _group: str, message: dict[str, Any]) -> None:
            sent.append(message)

    layer = Layer()
    monkeypatch.setattr(publish, "get_channel_layer", layer.get)
    monkeypatch.setattr(publish, "layer_health", LayerHealth())
    monkeypatch.setattr(publish, "GATHER_SECONDS", 0.2)
    bell = publish.FarBell()
    for run_id in (903, 901, 902, 901):
        bell.ring(run_id)
    wait_until(lambda: {"type": "runs.changed", "runs": [901, 902, 903]} in sent)
