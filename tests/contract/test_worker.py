"""Today's worker on an old portal: it sends what was sent then and understands what was answered then."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.messages import Message
from bert_training.worker.client import NothingToDo, PortalClient, Refused
from bert_training.worker.exits import ExitCode
from bert_training.worker.options import TokenSource
from tests.contract.recordings import Exchange, differences, exchanges, without_newer_fields
from tests.worker.fake_portal import Answer, FakePortal, error
from tests.worker.supervisors import LocalSupervisor

JOB = 117
# Today's worker cannot even build the request that is wrong on purpose.
RECORDED = [exchange for exchange in exchanges(job=JOB) if exchange.name != "a phase that does not exist"]
BY_NAME = pytest.mark.parametrize("exchange", RECORDED, ids=[exchange.name for exchange in RECORDED])


@pytest.fixture
def portal() -> Iterator[FakePortal]:
    """A portal that answers what a test tells it."""
    with FakePortal() as portal:
        yield portal


@pytest.fixture
def client(portal: FakePortal) -> Iterator[PortalClient]:
    """Today's worker's side of the wire."""
    url, token = f"{portal.url}/bert-training/api", TokenSource(portal.token)
    client = PortalClient(url, token, instance="machine:1", version="0.1.0", is_loopback=True)
    yield client
    client.close()


def ask(client: PortalClient, exchange: Exchange) -> Message | NothingToDo:
    """Make the call of a recorded exchange with today's client."""
    message: Any = exchange.messages[0].model_validate_json(json.dumps(exchange.body))
    of_job: dict[str, Callable[[int, Any], Message]] = {"progress": client.post_progress, "complete": client.complete}
    others: dict[str, Callable[[Any], Message | NothingToDo]] = {
        "heartbeat": client.heartbeat,
        "claim": client.claim,
        "batch": client.post_logs,
        "metrics": client.post_metrics,
    }
    _first, _second, *rest = exchange.path.split("/")
    name = rest[-1] if rest else "metrics"
    return of_job[name](int(rest[0]), message) if name in of_job else others[name](message)


@BY_NAME
def test_the_recorded_portal_is_understood(portal: FakePortal, client: PortalClient, exchange: Exchange) -> None:
    """F-55: new worker, old portal: every answer of then is a message or the refusal that it was."""
    headers = {"Retry-After": exchange.retry_after} if exchange.retry_after else {}
    portal.inject("", Answer(exchange.status, exchange.answer, headers))
    if exchange.status >= 400:
        with pytest.raises(Refused) as refusal:
            ask(client, exchange)
        assert exchange.answer is not None
        assert (refusal.value.status, refusal.value.code) == (exchange.status, exchange.answer["code"])
    elif exchange.status == 204:
        assert ask(client, exchange) == NothingToDo(float(exchange.retry_after or 0))
    else:
        assert ask(client, exchange) == exchange.messages[1].model_validate_json(json.dumps(exchange.answer))
    (request,) = portal.requests
    assert (request.path, request.headers["x-worker-protocol"]) == (exchange.path, "1")
    assert differences(exchange.body, request.json(), "request") == []


@BY_NAME
def test_answers_with_fewer_or_more_fields_are_understood(
    portal: FakePortal, client: PortalClient, exchange: Exchange
) -> None:
    """F-55: a portal of the first day leaves out what came later, one of tomorrow adds what nobody knows yet."""
    if exchange.status != 200 or exchange.answer is None:
        return
    fewer = without_newer_fields(exchange.answer, exchange.messages[1])
    for answer in (fewer, {**exchange.answer, "wanted": [{"fingerprint": "f", "action": "keep"}], "kind": "train"}):
        portal.inject("", Answer(200, answer))
        understood = ask(client, exchange)
        assert isinstance(understood, exchange.messages[1])
        assert differences(fewer, understood.model_dump(mode="json")) == []


def test_a_portal_that_needs_a_newer_worker_ends_it_with_a_sentence(portal: FakePortal, tmp_path: Path) -> None:
    """F-55: 426 ends the worker with exit code 4."""
    portal.inject("", error(426, "protocol_too_old", min=2, max=3), times=100)
    supervisor = LocalSupervisor(portal, tmp_path / "models")
    supervisor.start()
    assert supervisor.wait() == ExitCode.TOO_OLD
