"""Callers of the API: people by session or token, workers by token, each over real HTTP requests of Django's client."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.test import Client
from django.test.client import MULTIPART_CONTENT

from bert_training.api import rate_limit
from bert_training.contract.enums import TokenScope
from bert_training.contract.limits import API_PREFIX
from bert_training.models import Job, Run, Worker
from bert_training.services.tokens import issue_user_token
from tests.personas import claim, make_run, token_of

Answer = Any  # the test client's response: status_code, json(), headers


class Caller:
    """Calls the API with the headers of one caller; bodies travel as JSON."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client = client
        self.headers = headers

    def get(self, path: str, **headers: str) -> Answer:
        return self._call("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self._call("POST", path, _encode(body), headers=headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self._call("PUT", path, _encode(body), headers=headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self._call("PATCH", path, _encode(body), headers=headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self._call("DELETE", path, headers=headers)

    def raw(self, method: str, path: str, body: bytes, content_type: str, **headers: str) -> Answer:
        """Send bytes as they are."""
        return self._call(method, path, body, content_type, headers=headers)

    def upload(self, path: str, **parts: Any) -> Answer:
        """Send a multipart form; lists become repeated parts."""
        return self.client.post(API_PREFIX + path, parts, content_type=MULTIPART_CONTENT, headers=self.headers)

    def _call(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json", **more: dict[str, str]
    ) -> Answer:
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in more["headers"].items()}}
        return self.client.generic(method, API_PREFIX + path, body, content_type, headers=headers)


def _encode(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


class Api:
    """Makes callers."""

    def anonymous(self) -> Caller:
        return Caller(Client())

    def as_person(self, user: User) -> Caller:
        client = Client()
        client.force_login(user)
        return Caller(client)

    def with_token(self, token: str) -> Caller:
        return Caller(Client(), authorization=f"Bearer {token}")

    def with_user_token(self, user: User) -> Caller:
        return self.with_token(issue_user_token(user, label="tests", scope=TokenScope.MANAGE)[1])

    def as_worker(self, worker: Worker) -> Caller:
        return Caller(Client(), authorization=f"Bearer {token_of(worker)}", x_worker_protocol="1")


@pytest.fixture(autouse=True)
def _no_wrong_tokens_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test with no wrong token counted in this process: all of them come from one address in a minute."""
    monkeypatch.setattr(rate_limit, "_malformed", rate_limit.Buckets())


@pytest.fixture
def api(db: None) -> Api:
    """Makes callers; see Api."""
    return Api()


def body_of(response: HttpResponseBase) -> bytes:
    """Return the whole body, streamed or not."""
    streamed: Any = response
    return b"".join(streamed.streaming_content) if response.streaming else streamed.content


def outcome_of(response: Answer) -> tuple[int, str]:
    """Return status and code of an error, having checked that it has the one form."""
    error = response.json()
    assert {"code", "message", "errors", "request_id"} <= set(error)
    assert error["message"]
    assert error["request_id"] == response.headers["X-Request-ID"]
    assert all({"path", "message"} <= set(entry) for entry in error["errors"] if "code" not in entry)
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, error["code"]


def job_of(run: Run) -> Job:
    """Return the queue entry of a run."""
    return Job.objects.get(run=run)


def run_for(owner: User, worker: Worker, **wanted: Any) -> Run:
    """Create a run that a worker has claimed."""
    run = make_run(owner, **wanted)
    assert claim(worker).run_id == run.pk
    return run
