"""A token that calls without end is told to wait; others, and people at their pages, notice nothing."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from bert_training.api import rate_limit
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
    monkeypatch.setattr(rate_limit, "_full_at", {})
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


def test_a_backlog_of_the_longest_log_never_meets_the_limit() -> None:
    now = 5000.0
    assert all(rate_limit._take(-1, now) == 0 for _call in range(1_000_000 // 500 * 2))
