"""The queue over the API: its order with names as access allows, and operators who put it into another order."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from bert_training.contract.enums import TokenScope
from bert_training.models import Dataset, Job, Run
from bert_training.services.tokens import issue_user_token
from tests.api.conftest import Api, outcome_of
from tests.personas import claim, make_run, make_worker


@pytest.fixture
def waiting(ana: User, dataset: Dataset) -> list[int]:
    """Three jobs of ana's, in their order."""
    return [make_run(ana, dataset).job.pk for _ in range(3)]


def order(api: Api, user: User) -> list[int]:
    return [entry["job"] for entry in api.as_person(user).get("/queue").json()["results"]]


def test_everybody_reads_the_order_and_only_known_names(api: Api, run: Run, carla: User, ana: User) -> None:
    mine = make_run(carla, name="Minha")
    answer = api.as_person(carla).get("/queue").json()
    assert answer["count"] == 2
    assert [(entry["position"], entry["name"], entry["owner"]) for entry in answer["results"]] == [
        (1, None, None),
        (2, "Minha", "carla"),
    ]
    assert answer["results"][1]["run"] == mine.pk
    first = api.as_person(ana).get("/queue?page_size=1").json()["results"][0]
    assert (first["name"], first["number_of_owner"], first["unknown"]) == (run.name, 1, "no_computer")
    second = api.as_person(ana).get("/queue?page_size=1&page=2").json()["results"][0]
    assert (second["position"], second["name"]) == (2, None)


def test_an_operator_moves_an_entry(api: Api, otto: User, waiting: list[int]) -> None:
    caller = api.as_person(otto)
    answer = caller.post(f"/queue/{waiting[2]}/move", {"to": "first"})
    assert (answer.status_code, answer.json()) == (200, {"job": waiting[2], "position": 1, "priority": 0})
    assert order(api, otto) == [waiting[2], waiting[0], waiting[1]]
    assert caller.post(f"/queue/{waiting[2]}/move", {"to": "first"}).json()["position"] == 1  # twice
    assert caller.post(f"/queue/{waiting[2]}/move", {"to": "last"}).json()["position"] == 3


def test_an_operator_says_how_urgent_an_entry_is(api: Api, otto: User, waiting: list[int]) -> None:
    answer = api.as_person(otto).post(f"/queue/{waiting[1]}/priority", {"priority": 7})
    assert answer.json() == {"job": waiting[1], "position": 1, "priority": 7}


@pytest.mark.parametrize(
    ("call", "body"),
    [("move", {}), ("move", {"to": "top"}), ("move", {"to": "up", "by": 2}), ("priority", {"priority": 5000})],
)
def test_what_makes_no_sense_is_refused(api: Api, otto: User, waiting: list[int], call: str, body: Any) -> None:
    assert api.as_person(otto).post(f"/queue/{waiting[0]}/{call}", body).status_code == 400
    assert order(api, otto) == waiting


def test_what_does_not_wait_cannot_be_moved(api: Api, otto: User, waiting: list[int]) -> None:
    taken = claim(make_worker()).job_id
    for call, body in (("move", {"to": "up"}), ("priority", {"priority": 1})):
        assert outcome_of(api.as_person(otto).post(f"/queue/{taken}/{call}", body)) == (404, "not_found")


def test_nobody_else_orders_the_queue_and_a_token_must_be_for_it(
    api: Api, ana: User, root: User, waiting: list[int]
) -> None:
    assert outcome_of(api.as_person(ana).post(f"/queue/{waiting[1]}/move", {"to": "first"})) == (403, "forbidden")
    token = issue_user_token(root, label="monitor", scope=TokenScope.RUN)[1]
    answer = api.with_token(token).post(f"/queue/{waiting[1]}/move", {"to": "first"})
    assert outcome_of(answer) == (403, "scope_missing")
    assert [job.pk for job in Job.objects.in_queue_order()] == waiting
