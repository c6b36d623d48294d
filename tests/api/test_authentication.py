"""Who is let in: tokens of every kind of wrong, sessions, and each kind of caller on the other's addresses."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import TokenScope
from bert_training.contract.tokens import USER_PREFIX, WORKER_PREFIX, make_token
from bert_training.models import AccessToken, Worker
from bert_training.services.tokens import issue_user_token, revoke_token
from tests.api.conftest import Api, Caller, outcome_of
from tests.personas import PASSWORD, token_of

CLAIM = {"instance": "machine-1:1", "tasks": ["text-classification"]}
GOOD_FORM = make_token(WORKER_PREFIX)

MALFORMED = {
    "scheme only": "Bearer",
    "nothing after the scheme": "Bearer ",
    "two words": "Bearer a b",
    "another scheme": "Token x",
    "basic": "Basic dXNlcjpwYXNz",
    "no scheme": GOOD_FORM,
    "non-UTF-8 byte": "Bearer bertw_\xff\xfe",
    "accent": "Bearer bertw_é" + GOOD_FORM[7:],
    "NUL": "Bearer bertw_\x00" + GOOD_FORM[7:],
    "100,000 characters": "Bearer bertw_" + "a" * 100_000,
    "wrong checksum": "Bearer " + GOOD_FORM[:-1] + ("a" if GOOD_FORM[-1] != "a" else "b"),
    "cut": "Bearer " + GOOD_FORM[:-1],
    "unknown prefix": "Bearer bertx_" + GOOD_FORM[6:],
    "newline at the end": "Bearer " + GOOD_FORM + "\n",
}


@pytest.mark.parametrize("header", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_token_is_refused_without_a_query(api: Api, header: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = Caller(Client(), authorization=header).get("/runs")
    assert outcome_of(response) == (401, "token_malformed")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("path", ["/runs", "/datasets", "/queue/status", "/schema", "/docs", "/runs/1/logs"])
def test_without_any_sign_in_the_answer_is_401(api: Api, path: str) -> None:
    response = api.anonymous().get(path)
    assert outcome_of(response) == (401, "token_missing")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_unknown_token_is_refused(api: Api) -> None:
    assert outcome_of(api.with_token(make_token(USER_PREFIX)).get("/runs")) == (401, "token_unknown")


def test_a_revoked_token_is_refused(api: Api, ana: User) -> None:
    row, token = issue_user_token(ana, label="tests")
    assert api.with_token(token).get("/runs").status_code == 200
    revoke_token(row)
    assert outcome_of(api.with_token(token).get("/runs")) == (401, "token_unknown")


def test_an_expired_token_is_refused(api: Api, ana: User) -> None:
    row, token = issue_user_token(ana, label="tests", days=1)
    past = timezone.now() - timedelta(days=2)
    AccessToken.objects.filter(pk=row.pk).update(created_at=past, expires_at=past + timedelta(days=1))
    assert outcome_of(api.with_token(token).get("/runs")) == (401, "token_unknown")


def test_the_token_of_a_deactivated_person_is_refused(api: Api, ana: User) -> None:
    caller = api.with_user_token(ana)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert outcome_of(caller.get("/runs")) == (401, "token_unknown")


def test_a_deactivated_worker_is_told_so(api: Api, worker: Worker) -> None:
    caller = api.as_worker(worker)
    Worker.objects.filter(pk=worker.pk).update(active=False)
    assert outcome_of(caller.post("/jobs/claim", CLAIM)) == (403, "worker_inactive")


def test_a_token_in_the_query_counts_for_nothing(api: Api, ana: User) -> None:
    token = issue_user_token(ana, label="tests")[1]
    assert outcome_of(api.anonymous().get(f"/runs?token={token}&access_token={token}")) == (401, "token_missing")


def test_a_wrong_token_is_not_passed_over_for_a_session(api: Api, ana: User) -> None:
    caller = api.as_person(ana)
    assert outcome_of(caller.get("/runs", authorization="Bearer nonsense")) == (401, "token_malformed")


@pytest.mark.parametrize(
    "path", ["/runs", "/datasets", "/queue/status", "/base-models", "/tasks", "/workers", "/schema"]
)
def test_a_worker_is_refused_on_addresses_of_people(api: Api, worker: Worker, path: str) -> None:
    assert outcome_of(api.as_worker(worker).get(path)) == (403, "forbidden")


WORKER_PATHS = ["/jobs/claim", "/jobs/1/progress", "/jobs/1/complete", "/logs", "/logs/batch", "/metrics"]


@pytest.mark.parametrize("path", [*WORKER_PATHS, "/workers/heartbeat"])
def test_a_person_is_refused_on_addresses_of_workers(api: Api, root: User, path: str) -> None:
    assert outcome_of(api.with_user_token(root).post(path, {})) == (403, "forbidden")
    assert outcome_of(api.as_person(root).post(path, {})) == (403, "forbidden")
    assert outcome_of(api.anonymous().post(path, {})) == (401, "token_missing")


def test_a_session_writes_only_with_its_csrf_token(ana: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.login(username="ana", password=PASSWORD)
    assert outcome_of(Caller(client).post("/runs/1/cancel")) == (403, "csrf_failed")
    assert outcome_of(Caller(client, origin="https://evil.example").post("/runs/1/cancel")) == (403, "csrf_failed")
    assert outcome_of(Caller(client).raw("POST", "/runs", b"{}", "text/plain")) == (403, "csrf_failed")


def test_a_token_needs_no_csrf_token(api: Api, ana: User) -> None:
    client = Client(enforce_csrf_checks=True)
    token = issue_user_token(ana, label="tests", scope=TokenScope.MANAGE)[1]
    response = Caller(client, authorization=f"Bearer {token}").post("/runs/1/cancel")
    assert outcome_of(response) == (404, "not_found")


def test_the_session_of_a_deactivated_person_is_no_sign_in(api: Api, ana: User) -> None:
    caller = api.as_person(ana)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert outcome_of(caller.get("/runs")) == (401, "token_missing")


def test_a_new_password_ends_the_session(api: Api, ana: User) -> None:
    caller = api.as_person(ana)
    ana.set_password("another-long-password")
    ana.save(update_fields=["password"])
    assert outcome_of(caller.get("/runs")) == (401, "token_missing")


@pytest.mark.parametrize("version", [None, "", "0", "-1", "x", "1.0", "٣", "9" * 5000])
def test_a_worker_that_does_not_say_a_spoken_protocol_is_sent_to_update(
    api: Api, worker: Worker, version: str | None
) -> None:
    headers = {} if version is None else {"x_worker_protocol": version}
    caller = Caller(Client(), authorization=f"Bearer {token_of(worker)}", **headers)
    response = caller.post("/jobs/claim", CLAIM)
    assert outcome_of(response) == (426, "protocol_too_old")
    assert (response.json()["min"], response.json()["max"]) == (1, 1)


def test_a_newer_worker_is_served(api: Api, worker: Worker) -> None:
    assert api.as_worker(worker).post("/jobs/claim", CLAIM, x_worker_protocol="2").status_code == 204
