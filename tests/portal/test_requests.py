"""What surrounds every request: ids, headers, limits, health, JSON errors, and logs that a machine can read."""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, ProgrammingError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client

from portal.logs import JsonFormatter, set_request_id
from portal.middleware import DatabaseAway

API = "/bert-training/api"


def test_alive_needs_nothing(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.embedded
def test_ready_names_each_part(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200, answer.json()
    assert set(answer.json()["parts"]) == {"database", "migrations", "cache", "storage"}


@pytest.mark.django_db
def test_not_ready_says_which_part_failed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(key: str) -> bool:
        raise OSError("disk gone")

    monkeypatch.setattr(default_storage, "exists", fail)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["parts"]["storage"]) == (503, "failed")


def test_a_request_id_is_echoed_when_it_is_well_formed(client: Client) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"
    forged = client.get("/health/live", headers={"X-Request-ID": "a b<script>"})["X-Request-ID"]
    assert len(forged) == 32


@pytest.mark.django_db
def test_every_answer_carries_a_strict_policy(client: Client) -> None:
    for path in ("/health/live", "/nowhere", f"{API}/nowhere"):
        policy = client.get(path)["Content-Security-Policy"]
        assert "unsafe-inline" not in policy
        assert "script-src 'self'" in policy


@pytest.mark.django_db
def test_an_unknown_api_address_is_a_json_error(client: Client) -> None:
    answer = client.get(f"{API}/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert answer["Cache-Control"] == "no-store"


def test_a_body_that_is_too_long_is_refused_by_its_length(client: Client) -> None:
    answer = client.post(f"{API}/runs", "{}", content_type="application/json", headers={"Content-Length": "9000000"})
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (413, "too_large", 1024 * 1024)


@pytest.mark.parametrize(
    ("credential", "limit"),
    [({}, 1), ({"Cookie": "csrf=x"}, 1), ({"Cookie": "session=x"}, 51), ({"Authorization": "Bearer x"}, 51)],
    ids=["stranger", "other cookie", "session", "token"],
)
def test_an_upload_may_be_longer_by_who_shows_a_credential(
    client: Client, credential: dict[str, str], limit: int
) -> None:
    headers = {"Content-Length": str(limit * 1024 * 1024 + 1), **credential}
    answer = client.post(f"{API}/datasets/upload", "x", content_type="text/plain", headers=headers)
    assert (answer.status_code, answer.json()["limit"]) == (413, limit * 1024 * 1024)


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        (f"{API}/datasets/12/manifest", 51),
        ("/datasets/12/manifest", 51),
        ("/datasets/new", 51),
        (f"{API}/runs/12/manifest", 1),
        (f"{API}/datasets/12/manifest/", 1),
        (f"/x{API}/datasets/upload", 1),
    ],
)
def test_only_the_addresses_of_uploads_take_more_than_a_megabyte(client: Client, path: str, limit: int) -> None:
    headers = {"Content-Length": str(limit * 1024 * 1024 + 1), "Authorization": "Bearer x"}
    answer = client.post(path, "x", content_type="text/plain", headers=headers)
    assert answer.status_code == 413
    if path.startswith(API):
        assert answer.json()["limit"] == limit * 1024 * 1024


@pytest.mark.django_db
@pytest.mark.parametrize("key", [r'"aaaaaaaaaaaaaaaa\000"', "a" * 5000, "\xe9" * 32, "A" * 32, "../" * 10])
@pytest.mark.parametrize("path", ["/runs", "/admin/", f"{API}/runs"])
def test_what_cannot_be_a_session_is_none(
    client: Client, path: str, key: str, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    """A NUL written as backslash, 0, 0, 0 in a cookie was a crash of every address, for anybody."""
    with django_assert_num_queries(0):
        assert client.get(path, headers={"Cookie": f"session={key}"}).status_code in (302, 401)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example"])
def test_a_foreign_host_name_is_refused(client: Client, host: str) -> None:
    answer = client.get(f"{API}/runs", headers={"Host": host})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json; charset=utf-8")


@pytest.mark.django_db
def test_a_lost_database_is_503_and_not_a_broken_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(connection, "cursor", fail)
    answer = client.post("/bert-training/api/queue/status", headers={"Authorization": "Bearer " + "x"})
    assert answer.status_code == 401  # a malformed token is refused without the database
    away = DatabaseAway(fail)(_api_request())  # type: ignore[arg-type]
    assert (away.status_code, away["Retry-After"]) == (503, "5")
    assert json.loads(away.content)["code"] == "unavailable"


def test_the_log_says_why_the_database_was_called_away(caplog: pytest.LogCaptureFixture) -> None:
    """A statement that took too long, or a forgotten `migrate`, looks the same to a caller."""

    def fail(_request: HttpRequest) -> HttpResponse:
        cause = Exception()
        cause.pgcode = "42P01"  # type: ignore[attr-defined]
        raise ProgrammingError("a row's text") from cause

    assert DatabaseAway(fail)(_api_request()).status_code == 503
    record = next(vars(record) for record in caplog.records if record.name == "portal.middleware")
    assert (record["error"], record["sqlstate"]) == ("ProgrammingError", "42P01")
    assert "a row's text" not in caplog.text


def _api_request() -> HttpRequest:
    request = HttpRequest()
    request.path = f"{API}/runs"
    return request


def test_a_log_record_is_one_json_line_with_its_ids() -> None:
    set_request_id("req-7")
    record = logging.makeLogRecord({"msg": "line\nforged", "levelname": "INFO", "name": "x", "job": 3})
    text = JsonFormatter().format(record)
    entry = json.loads(text)
    assert "\n" not in text
    assert (entry["message"], entry["job"], entry["request_id"]) == ("line\nforged", 3, "req-7")
    set_request_id("")
