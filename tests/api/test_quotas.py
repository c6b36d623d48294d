"""What the API says of quotas and limits: how much is used, who exceeds what, and when to come back."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from bert_training.models import Dataset, Quota, Run, Team
from tests.api.conftest import Api, outcome_of
from tests.personas import BASE_MODEL


@pytest.fixture
def wanted(dataset: Dataset) -> dict[str, Any]:
    """A run of ana's."""
    return {"dataset": dataset.pk, "base_model": BASE_MODEL, "hyperparameters": {"epochs": 1}}


def test_a_person_sees_the_own_quotas_and_those_of_the_teams(
    api: Api, ana: User, carla: User, run: Run, team: Team, settings: Settings
) -> None:
    Quota.objects.create(team=team, datasets=9)
    shown = api.as_person(ana).get("/quotas").json()["quotas"]
    by_holder = {(each["team"], each["quota"]): each for each in shown}
    assert by_holder[None, "queued_runs"] == {
        "quota": "queued_runs",
        "team": None,
        "used": 1,
        "limit": settings.QUEUED_RUNS_PER_USER,
        "resets_at": None,
    }
    assert (by_holder["procuradoria", "datasets"]["used"], by_holder["procuradoria", "datasets"]["limit"]) == (1, 9)
    assert by_holder[None, "gpu_minutes"]["resets_at"].endswith("Z")
    assert {each["team"] for each in api.as_person(carla).get("/quotas").json()["quotas"]} == {None}
    assert outcome_of(api.anonymous().get("/quotas")) == (401, "token_missing")


def test_an_exceeded_quota_is_429_and_says_whose_and_when(api: Api, ana: User, wanted: dict[str, Any]) -> None:
    exception = Quota.objects.create(user=ana, gpu_minutes=0)
    response = api.as_person(ana).post("/runs", wanted)
    assert outcome_of(response) == (429, "quota_exceeded")
    body = response.json()
    assert (body["quota"], body["team"], body["limit"], body["used"]) == ("gpu_minutes", None, 0, 0)
    assert 0 < int(response.headers["Retry-After"]) <= 31 * 24 * 3600
    assert body["resets_at"].endswith("Z")
    Quota.objects.filter(pk=exception.pk).update(gpu_minutes=None, queued_runs=0)
    response = api.as_person(ana).post("/runs", wanted)
    assert outcome_of(response) == (429, "quota_exceeded")
    assert "Retry-After" not in response.headers  # nobody knows when there will be room
    assert not Run.objects.exists()


@pytest.mark.parametrize("how", ["session", "token"])
def test_runs_are_limited_an_hour_and_a_replay_is_not_counted(
    api: Api, ana: User, wanted: dict[str, Any], settings: Settings, how: str
) -> None:
    settings.RUNS_PER_HOUR = 1
    caller = api.as_person(ana) if how == "session" else api.with_user_token(ana)
    first = caller.post("/runs", wanted, idempotency_key="click")
    assert first.status_code == 201
    assert caller.post("/runs", wanted, idempotency_key="click").status_code == 200
    response = caller.post("/runs", wanted)
    assert outcome_of(response) == (429, "rate_limited")
    assert 3500 < int(response.headers["Retry-After"]) <= 3600
    refused = caller.post(f"/runs/{first.json()['id']}/reproduce")
    assert outcome_of(refused) == (429, "rate_limited")
    assert caller.get("/runs").status_code == 200


def test_what_is_wrong_in_a_request_is_said_before_it_is_counted(
    api: Api, ana: User, wanted: dict[str, Any], settings: Settings
) -> None:
    settings.RUNS_PER_HOUR = 1
    caller = api.as_person(ana)
    for _time in range(3):
        assert caller.post("/runs", {**wanted, "hyperparameters": {"epochs": 0}}).status_code == 400
    assert caller.post("/runs", wanted).status_code == 201
