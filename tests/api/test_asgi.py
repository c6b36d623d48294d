"""What differs under the ASGI server: streamed downloads, bodies in chunks, and two clicks at the same time."""

import json
import threading
from typing import Any

import pytest
from asgiref import testing
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.db import connection
from django.test import AsyncClient

from bert_training.contract.enums import TokenScope
from bert_training.contract.limits import API_PREFIX
from bert_training.models import Dataset, Run
from bert_training.services.tokens import issue_user_token
from tests.api.conftest import Api
from tests.personas import BASE_MODEL, make_user, ready_dataset

WAIT_SECONDS = 10.0
Communicator: Any = testing.ApplicationCommunicator  # it has no types


def answer_in_chunks(token: str, method: str, path: str, *chunks: bytes) -> tuple[int, Any]:
    """Send a body without Content-Length, as `Transfer-Encoding: chunked` arrives; returns status and JSON."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "transfer-encoding": "chunked"}
    scope = {
        "type": "http",
        "method": method,
        "path": API_PREFIX + path,
        "query_string": b"",
        "headers": [(b"host", b"testserver"), *((name.encode(), value.encode()) for name, value in headers.items())],
    }

    async def scenario() -> tuple[int, Any]:
        server: Any = Communicator(get_asgi_application(), scope)
        for chunk in chunks:
            await server.send_input({"type": "http.request", "body": chunk, "more_body": True})
        await server.send_input({"type": "http.request", "body": b""})
        start = await server.receive_output(WAIT_SECONDS)
        body = await server.receive_output(WAIT_SECONDS)
        await server.wait(WAIT_SECONDS)
        return start["status"], json.loads(body["body"])

    answer: tuple[int, Any] = async_to_sync(scenario)()
    return answer


IN_OTHER_THREADS = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@IN_OTHER_THREADS
def test_a_body_in_chunks_is_read_up_to_the_limit() -> None:
    owner = make_user("dora")
    token, path = (
        issue_user_token(owner, label="tests", scope=TokenScope.MANAGE)[1],
        f"/datasets/{ready_dataset(owner).pk}",
    )
    status, shown = answer_in_chunks(token, "PATCH", path, b'{"name": ', b'"Outra"}')
    assert (status, shown["name"]) == (200, "Outra")
    status, error = answer_in_chunks(token, "PATCH", path)
    assert (status, error["code"]) == (400, "invalid_json")
    status, error = answer_in_chunks(token, "PATCH", path, b'{"name": "', *[b"x" * 2**18] * 5, b'"}')
    assert (status, error["code"]) == (413, "too_large")


def test_a_download_is_streamed_in_pieces(ana: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.api.downloads.PIECE_BYTES", 1000)
    token = issue_user_token(ana, label="tests")[1]

    async def scenario() -> list[bytes]:
        headers = {"authorization": f"Bearer {token}", "range": "bytes=10-"}
        response: Any = await AsyncClient().get(f"{API_PREFIX}/datasets/{dataset.pk}/download", headers=headers)
        assert response.is_async
        return [piece async for piece in response.streaming_content]

    pieces = async_to_sync(scenario)()
    assert len(pieces) > 1
    assert max(map(len, pieces)) == 1000
    assert sum(map(len, pieces)) == dataset.bytes - 10


@IN_OTHER_THREADS
def test_two_clicks_at_the_same_time_make_one_run(api: Api) -> None:
    owner = make_user("dora")
    body = {"dataset": ready_dataset(owner).pk, "base_model": BASE_MODEL, "hyperparameters": {"epochs": 2}}
    callers = [api.as_person(owner) for _number in range(4)]
    start = threading.Barrier(len(callers))
    answers: list[tuple[int, int]] = []

    def click(caller: Any) -> None:
        start.wait()
        response = caller.post("/runs", body, idempotency_key="click")
        answers.append((response.status_code, response.json()["id"]))
        connection.close()

    threads = [threading.Thread(target=click, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _id in answers) == [200, 200, 200, 201]
    assert len({run_id for _status, run_id in answers}) == 1
    assert Run.objects.count() == 1
