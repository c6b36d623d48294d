"""An old worker on today's portal: the recorded requests are answered as they were."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.limits import API_PREFIX
from bert_training.models import Dataset, Job, Log, Metric, Worker
from tests.contract.recordings import Exchange, differences, exchanges, without_newer_fields
from tests.personas import make_run, token_of

pytestmark = pytest.mark.embedded

Answer = Any
Shape = Callable[[Exchange], dict[str, Any]]


class OldWorker:
    """Sends recorded requests."""

    def __init__(self, worker: Worker, *, version: str | None = "1") -> None:
        self._headers = {"authorization": f"Bearer {token_of(worker)}"}
        self._headers |= {} if version is None else {"x-worker-protocol": version}

    def send(self, exchange: Exchange, body: dict[str, Any]) -> Answer:
        """Send one request; its body may have another shape than recorded."""
        content = json.dumps(body)
        path = API_PREFIX + exchange.path
        return Client().generic("POST", path, content, content_type="application/json", headers=self._headers)


def play(ana: User, dataset: Dataset, worker: Worker, shape: Shape) -> list[str]:
    """Play the whole story; returns what was answered otherwise than recorded."""
    caller = OldWorker(worker)
    found = []
    for place, recorded in enumerate(exchanges(job=0)):
        if recorded.name == "claim":
            make_run(ana, dataset, simulate=True)
        job = Job.objects.values_list("pk", flat=True).first() or 0
        exchange = exchanges(job=job)[place]
        response = caller.send(exchange, shape(exchange))
        answer = response.json() if response.content else None
        found += differences(exchange.status, response.status_code, f"{recorded.name}: status")
        found += differences(exchange.answer, answer, recorded.name)
    return found


def test_the_recorded_worker_is_answered_as_then(ana: User, dataset: Dataset, worker: Worker) -> None:
    """F-55: old worker, new portal: the same statuses, codes and words, at least the same fields."""
    assert play(ana, dataset, worker, lambda exchange: exchange.body) == []
    job = Job.objects.get()
    assert (job.status, job.attempt, Log.objects.count(), Metric.objects.count()) == ("completed", 1, 6, 1)


def test_a_worker_that_knows_no_optional_field_is_served_too(ana: User, dataset: Dataset, worker: Worker) -> None:
    """F-55: what was added to protocol 1 later may be missing from every message."""

    def oldest(exchange: Exchange) -> dict[str, Any]:
        body = without_newer_fields(exchange.body, exchange.messages[0])
        # What makes a heartbeat one about a job, and a claim one for simulations, is part of the story.
        kept = ("attempt",) if "state" in body else ("simulate",) if "tasks" in body else ()
        return body | {name: exchange.body[name] for name in kept}

    assert play(ana, dataset, worker, oldest) == []


@pytest.mark.parametrize("version", [None, "", "0", "one"])
def test_a_worker_that_is_too_old_is_told_so_by_every_call(
    worker: Worker, running_job: Job, version: str | None
) -> None:
    """F-55: version header missing or too old: every call is answered 426 with a sentence, and nothing changes."""
    caller = OldWorker(worker, version=version)
    for exchange in exchanges(job=running_job.pk):
        response = caller.send(exchange, exchange.body)
        answer = response.json()
        assert (response.status_code, answer["code"], answer["min"], answer["max"]) == (426, "protocol_too_old", 1, 1)
        assert answer["message"]
    running_job.refresh_from_db()
    assert (running_job.status, running_job.step, Log.objects.count()) == ("running", 0, 0)
