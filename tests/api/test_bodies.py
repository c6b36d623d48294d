"""Whatever bytes, methods, addresses and headers arrive: one JSON error form, the promised status, never a 5xx."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from bert_training.api.errors import ERRORS_NAMED
from bert_training.models import Dataset, Job, Run, Worker
from tests.api.conftest import Api, Caller, outcome_of
from tests.personas import BASE_MODEL

JSON = "application/json"


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


def run_body(dataset: Dataset, inner: str) -> bytes:
    """A body of POST /runs that would be right but for what is put into it."""
    return f'{{"dataset": {dataset.pk}, "base_model": "{BASE_MODEL}", {inner}}}'.encode()


INVALID_JSON = {
    "empty": b"",
    "cut": b'{"dataset": 1',
    "single quotes": b"{'dataset': 1}",
    "trailing comma": b'{"dataset": 1,}',
    "two values": b"{} {}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"dataset": 1}'.encode("utf-16"),
    "bad UTF-8": b'{"name": "\xff\xfe"}',
    "raw control byte": b'{"name": "a\x01b"}',
    "raw NUL": b'{"name": "a\x00b"}',
    "NaN": b'{"dataset": NaN}',
    "Infinity": b'{"dataset": -Infinity}',
    "1e999": b'{"dataset": 1e999}',
    "integer of 5,000 digits": b'{"dataset": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("body", INVALID_JSON.values(), ids=INVALID_JSON.keys())
def test_what_is_no_plain_json_is_refused(owner: Caller, body: bytes) -> None:
    assert outcome_of(owner.raw("POST", "/runs", body, JSON)) == (400, "invalid_json")


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"7", b"true", b"[[{}]]"])
def test_a_value_that_is_no_object_is_refused(owner: Caller, body: bytes) -> None:
    assert outcome_of(owner.raw("POST", "/runs", body, JSON)) == (400, "invalid_field")


@pytest.mark.parametrize("depth", [21, 900, 200_000])
def test_a_body_nested_too_deep_is_refused(owner: Caller, dataset: Dataset, depth: int) -> None:
    nested = "[" * (depth - 2) + "]" * (depth - 2)
    body = run_body(dataset, f'"hyperparameters": {{"x": {nested}}}')
    assert outcome_of(owner.raw("POST", "/runs", body, JSON)) == (400, "too_deep")
    assert outcome_of(owner.raw("POST", "/runs", b"[" * depth, JSON))[0] == 400


def test_a_body_of_the_greatest_depth_is_read(owner: Caller, dataset: Dataset) -> None:
    body = run_body(dataset, f'"hyperparameters": {{"x": {"[" * 18}{"]" * 18}}}')
    assert outcome_of(owner.raw("POST", "/runs", body, JSON)) == (400, "unknown_field")


@pytest.mark.parametrize("text", ["\\u0000", "a\\ud800", "\\udc00\\ud800", "\\uD83D x"])
@pytest.mark.parametrize(
    "place", ['"name": "{}"', '"hyperparameters": {{"{}": 1}}', '"hyperparameters": {{"x": ["{}"]}}']
)
def test_nul_and_half_characters_are_refused(owner: Caller, dataset: Dataset, place: str, text: str) -> None:
    response = owner.raw("POST", "/runs", run_body(dataset, place.format(text)), JSON)
    assert outcome_of(response) == (400, "invalid_json")


def test_whole_characters_written_as_escapes_are_read(owner: Caller, dataset: Dataset) -> None:
    response = owner.raw("POST", "/runs", run_body(dataset, '"name": "\\ud83d\\ude00 \\\\ud800 \\\\u0000"'), JSON)
    assert (response.status_code, response.json()["name"]) == (201, "\U0001f600 \\ud800 \\u0000")


def test_a_repeated_key_is_refused_at_any_depth(owner: Caller, dataset: Dataset) -> None:
    for inner in ('"name": "a", "name": "b"', '"hyperparameters": {"epochs": 1, "epochs": 2}'):
        response = owner.raw("POST", "/runs", run_body(dataset, inner), JSON)
        assert outcome_of(response) == (400, "duplicate_key")
    assert not Run.objects.exists()


def test_a_repeated_key_among_80000_is_found_at_once(owner: Caller) -> None:
    """Compared each with each, as it was, they took minutes."""
    keys = ",".join(f'"k{number}": 1' for number in range(80_000))
    response = owner.raw("POST", "/runs", f'{{{keys}, "k79999": 1}}'.encode(), JSON)
    assert outcome_of(response) == (400, "duplicate_key")
    assert response.json()["errors"][0]["path"] == "k79999"


def test_an_answer_names_few_of_many_wrong_fields(owner: Caller) -> None:
    """It was eight times as long as the body."""
    response = owner.post("/runs", {f"k{number}": 1 for number in range(60_000)})
    assert outcome_of(response) == (400, "unknown_field")
    assert len(response.json()["errors"]) == ERRORS_NAMED
    assert len(owner.post("/runs", {"k" * 1_000_000: 1}).content) < 2000


def test_a_body_above_the_limit_is_refused(owner: Caller) -> None:
    response = owner.raw("POST", "/runs", b'{"name": "' + b"x" * 2**20 + b'"}', JSON)
    assert outcome_of(response) == (413, "too_large")
    assert response.json()["limit"] == 2**20


CONTENT_TYPES = [
    "text/plain",
    "application/xml",
    "",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "nonsense",
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_another_content_type_is_refused(owner: Caller, content_type: str) -> None:
    assert outcome_of(owner.raw("POST", "/runs", b"{}", content_type)) == (415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x"])
def test_a_compressed_body_is_refused(owner: Caller, encoding: str) -> None:
    response = owner.raw("POST", "/runs", b"{}", JSON, content_encoding=encoding)
    assert outcome_of(response) == (415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "application/xml"])
def test_only_json_can_be_asked_for(owner: Caller, accept: str) -> None:
    assert outcome_of(owner.get("/runs", accept=accept)) == (406, "not_acceptable")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/runs"),
        ("DELETE", "/runs"),
        ("TRACE", "/runs"),
        ("OPTIONS", "/runs"),
        ("POST", "/runs/1"),
        ("GET", "/jobs/claim"),
        ("GET", "/datasets/upload"),
        ("BREW", "/runs"),
    ],
)
def test_a_method_that_is_not_declared_is_refused(api: Api, root: User, worker: Worker, method: str, path: str) -> None:
    caller = api.as_worker(worker) if path.startswith("/jobs") else api.as_person(root)
    assert outcome_of(caller.raw(method, path, b"", JSON)) == (405, "method_not_allowed")


def test_a_method_override_is_not_followed(owner: Caller, run: Run) -> None:
    response = owner.raw("POST", f"/runs/{run.pk}", b"{}", JSON, x_http_method_override="DELETE")
    assert outcome_of(response) == (405, "method_not_allowed")
    assert Run.objects.exists()


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/runs/", "/runs/1/", "/runs/1/logs/", "/jobs", "/%00", "/é"])
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE"])
def test_an_unknown_address_is_404_in_json(owner: Caller, method: str, path: str) -> None:
    assert outcome_of(owner.raw(method, path, b"", JSON)) == (404, "not_found")


@pytest.mark.parametrize("query", ["q=%00", "%00=1", "&".join(f"p{number}=1" for number in range(10_000))])
def test_a_query_that_no_database_takes_is_refused(owner: Caller, query: str) -> None:
    assert outcome_of(owner.get(f"/datasets?{query}")) == (400, "invalid_field")


def test_a_foreign_host_is_refused(owner: Caller) -> None:
    assert outcome_of(owner.get("/runs", host="evil.example")) == (400, "invalid_field")


def test_a_forwarded_host_changes_no_link(owner: Caller, run: Run) -> None:
    page = owner.get("/runs?page_size=1", x_forwarded_host="evil.example").json()
    assert "evil" not in str(page)


def test_the_request_id_is_the_callers_own_when_it_is_well_formed(owner: Caller) -> None:
    assert owner.get("/nothing", x_request_id="call-7").json()["request_id"] == "call-7"
    assert owner.get("/nothing", x_request_id="<script>").json()["request_id"] != "<script>"


def test_without_a_database_the_answer_is_503_and_says_when_to_come_back(
    api: Api, worker: Worker, running_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: Any, **_options: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("bert_training.services.telemetry.append_metrics", away)
    body = {"job_id": running_job.pk, "attempt": 1, "first_seq": 1, "points": []}
    response = api.as_worker(worker).post("/metrics", body)
    assert outcome_of(response) == (503, "unavailable")
    assert response.headers["Retry-After"] == "5"
    assert "server closed" not in response.content.decode()


def test_a_fault_of_ours_is_500_in_json_without_any_detail(
    ana: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def broken(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("secret detail")

    settings.DEBUG = False
    monkeypatch.setattr("bert_training.api.views.queue.queue_status", broken)
    client = Client(raise_request_exception=False)
    client.force_login(ana)
    response = Caller(client).get("/queue/status")
    assert outcome_of(response) == (500, "internal")
    assert "secret" not in response.content.decode()


def test_messages_come_in_the_language_of_the_caller(owner: Caller) -> None:
    assert owner.get("/nothing", accept_language="en").json()["message"] == "There is nothing at this address."


def test_every_answer_is_kept_out_of_caches(owner: Caller, run: Run) -> None:
    for path in ("/runs", f"/runs/{run.pk}", "/tasks", "/nothing", "/schema"):
        assert owner.get(path).headers["Cache-Control"] == "no-store", path
