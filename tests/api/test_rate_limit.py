"""A token that calls without end is told to wait, an address that shows wrong tokens too; others notice nothing."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from bert_training.api import rate_limit
from bert_training.contract.limits import API_PREFIX
from bert_training.contract.tokens import USER_PREFIX, make_token
from bert_training.models import Worker
from tests.api.conftest import Api, outcome_of

pytestmark = pytest.mark.embedded


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock of the test, and buckets of three calls that fill by one call in two seconds."""
    held = SimpleNamespace(now=1000.0)
    held.monotonic = lambda: held.now
    monkeypatch.setattr(rate_limit, "time", held)
    monkeypatch.setattr(rate_limit, "CALLS_IN_A_ROW", 3)
    monkeypatch.setattr(rate_limit, "CALLS_PER_SECOND", 0.5)
    monkeypatch.setattr(rate_limit, "_tokens", rate_limit.Buckets())
    return held


def test_a_token_that_calls_without_end_is_told_to_wait(
    api: Api, worker: Worker, other_worker: Worker, clock: SimpleNamespace, django_assert_num_queries: Any
) -> None:
    gpu, other = api.as_worker(worker), api.as_worker(other_worker)
    assert [gpu.get("/jobs/claim").status_code for _call in range(3)] == [405] * 3
    clock.now += 0.5
    with django_assert_num_queries(1):  # who is calling
        response = gpu.post("/jobs/claim")
    assert outcome_of(response) == (429, "rate_limited")
    assert (response.headers["Retry-After"], response.json()["retry_after"]) == ("2", 2)
    assert other.get("/jobs/claim").status_code == 405
    clock.now += 1.5
    assert gpu.get("/jobs/claim").status_code == 405
    assert gpu.get("/jobs/claim").status_code == 429


def test_a_bucket_never_holds_more_than_it_can(api: Api, worker: Worker, clock: SimpleNamespace) -> None:
    gpu = api.as_worker(worker)
    clock.now += 1e6
    assert [gpu.get("/jobs/claim").status_code for _call in range(4)] == [405, 405, 405, 429]


def test_a_session_is_not_counted(api: Api, ana: User, clock: SimpleNamespace) -> None:
    person = api.as_person(ana)
    assert [person.get("/queue/status").status_code for _call in range(5)] == [200] * 5


def test_the_buckets_have_the_promised_size() -> None:
    assert (rate_limit.CALLS_PER_SECOND, rate_limit.CALLS_IN_A_ROW) == (500, 1000)


def test_a_backlog_of_the_longest_log_never_meets_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 batches and as many of metrics, one after the other at 2 ms a call."""
    clock = SimpleNamespace(now=5000.0)
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(monotonic=lambda: clock.now))
    buckets = rate_limit.Buckets()
    for _call in range(1_000_000 // 500 * 2):
        assert buckets.take(1, in_a_row=rate_limit.CALLS_IN_A_ROW, per_second=rate_limit.CALLS_PER_SECOND) == 0
        clock.now += 0.002


def test_buckets_that_are_full_again_are_forgotten(clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "KEPT_ADDRESSES", 2)
    buckets = rate_limit.Buckets()
    for key in "ab":
        buckets.take(key, in_a_row=1, per_second=1)
    clock.now += 10
    buckets.take("c", in_a_row=1, per_second=1)
    assert set(buckets._full_at) == {"c"}


# --- wrong tokens: by address, failures only --------------------------------------------------------------------------
MALFORMED, UNKNOWN = "bertu_x", make_token(USER_PREFIX)


@pytest.fixture
def few_failures(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOKEN_FAILURES_PER_MINUTE = 3
    monkeypatch.setattr(rate_limit, "_malformed", rate_limit.Buckets())


@pytest.mark.usefixtures("few_failures")
@pytest.mark.parametrize("token", [MALFORMED, UNKNOWN])
def test_an_address_that_shows_wrong_tokens_is_told_to_wait(api: Api, worker: Worker, token: str) -> None:
    wrong = api.with_token(token)
    assert [wrong.get("/queue/status").status_code for _call in range(4)] == [401, 401, 401, 429]
    response = wrong.get("/queue/status")
    assert outcome_of(response) == (429, "rate_limited")
    assert 0 < int(response.headers["Retry-After"]) <= 20
    assert api.as_worker(worker).get("/jobs/claim").status_code == 405  # a good one from there passes
    elsewhere = wrong.client.get(f"{API_PREFIX}/queue/status", headers=wrong.headers, REMOTE_ADDR="192.0.2.9")
    assert elsewhere.status_code == 401


@pytest.mark.usefixtures("few_failures")
def test_what_is_no_token_costs_no_query(api: Api, django_assert_num_queries: Any) -> None:
    wrong = api.with_token(MALFORMED)
    with django_assert_num_queries(0):
        assert [wrong.get("/queue/status").status_code for _call in range(4)] == [401, 401, 401, 429]
