"""Repeats of a run over the API: asked for, seen, summed up and canceled by whom it may be, and by nobody else."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bert_training.models import Run, Worker
from tests.api.conftest import Api, Caller, outcome_of
from tests.pages.training import fail, train
from tests.personas import make_run

FIVE_FOLDS = {"kind": "fold", "count": 5}


@pytest.fixture
def completed(run: Run, worker: Worker) -> Run:
    return train(worker, run)


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


def path_of(run: Run) -> str:
    return f"/runs/{run.pk}/repeats"


def figures(child: Run, worker: Worker, f1: float) -> None:
    """Let a child end with this macro F1."""
    result = train(worker, child).result or {}
    result["metrics"]["f1_macro"] = f1
    Run.objects.filter(pk=child.pk).update(result=result)


def test_folds_are_asked_for_and_listed_with_their_run(owner: Caller, completed: Run) -> None:
    response = owner.post(path_of(completed), FIVE_FOLDS)
    (folds,) = response.json()["repeats"]
    assert (response.status_code, response.json()["run"]) == (201, completed.pk)
    assert {name: folds[name] for name in ("kind", "planned", "ended", "completed", "spread")} == {
        "kind": "fold",
        "planned": 5,
        "ended": 0,
        "completed": 0,
        "spread": [],
    }
    assert [(child["number"], child["status"], child["metrics"]) for child in folds["runs"]] == [
        (number, "queued", {}) for number in range(1, 6)
    ]
    shown = owner.get(f"/runs/{folds['runs'][1]['id']}").json()
    assert (shown["repeat_of"], shown["repeat_kind"], shown["repeat_number"]) == (completed.pk, "fold", 2)
    assert (shown["split"]["source"], shown["split"]["left_out"]) == ("folds", 0)


def test_mean_and_spread_are_of_what_has_been_completed(owner: Caller, completed: Run, worker: Worker) -> None:
    owner.post(path_of(completed), FIVE_FOLDS)
    children = list(completed.repeats.order_by("repeat_number"))
    for child, f1 in zip(children, (0.5, 0.7, 0.9), strict=False):
        figures(child, worker, f1)
    fail(worker, children[3], "gpu_out_of_memory")
    (folds,) = owner.get(path_of(completed)).json()["repeats"]
    assert (folds["planned"], folds["ended"], folds["completed"]) == (5, 4, 3)
    first = folds["spread"][0]
    assert first == {
        "metric": "f1_macro",
        "mean": pytest.approx(0.7),
        "standard_deviation": pytest.approx(0.2),
        "lowest": 0.5,
        "highest": 0.9,
        "runs": 3,
    }


def test_over_seeds_the_run_itself_is_one_more(owner: Caller, completed: Run, worker: Worker) -> None:
    owner.post(path_of(completed), {"kind": "seed", "count": 2})
    for child in completed.repeats.order_by("repeat_number"):
        figures(child, worker, 0.5)
    (seeds,) = owner.get(path_of(completed)).json()["repeats"]
    assert [child["seed"] for child in seeds["runs"]] == [43, 44]
    own = (completed.result or {})["metrics"]["f1_macro"]
    spread = seeds["spread"][0]
    assert (spread["runs"], spread["lowest"], spread["highest"]) == (3, 0.5, own)


def test_asking_twice_makes_them_once(owner: Caller, completed: Run) -> None:
    for status, key in ((201, "click-1"), (200, "click-1"), (200, "click-2")):
        assert owner.post(path_of(completed), FIVE_FOLDS, idempotency_key=key).status_code == status
    assert owner.post(path_of(completed), FIVE_FOLDS).status_code == 200
    assert completed.repeats.count() == 5
    other = owner.post(path_of(completed), {"kind": "seed", "count": 2}, idempotency_key="click-1")
    assert outcome_of(other) == (409, "idempotency_conflict")


def test_a_wrong_body_is_refused(owner: Caller, completed: Run) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "fold", "count": 2}, "invalid_field"),
        ({"kind": "seed", "count": 11}, "invalid_field"),
        ({"kind": "fold", "count": "5"}, "invalid_field"),
        ({"kind": "other", "count": 5}, "invalid_field"),
        ({"kind": "fold"}, "invalid_field"),
        ({"kind": "fold", "count": 5, "seed": 1}, "unknown_field"),
    ]
    for body, code in wrong:
        assert outcome_of(owner.post(path_of(completed), body)) == (400, code), body
    assert not completed.repeats.exists()


def test_another_number_of_parts_and_an_unfinished_run_are_refused(owner: Caller, completed: Run, ana: User) -> None:
    owner.post(path_of(completed), FIVE_FOLDS)
    assert outcome_of(owner.post(path_of(completed), {"kind": "fold", "count": 4})) == (400, "invalid_field")
    queued = make_run(ana, completed.dataset)
    assert outcome_of(owner.post(path_of(queued), FIVE_FOLDS)) == (409, "not_completed")


def test_staff_may_repeat_and_the_owner_sees_it(api: Api, owner: Caller, root: User, completed: Run) -> None:
    assert api.as_person(root).post(path_of(completed), FIVE_FOLDS).status_code == 201
    (folds,) = owner.get(path_of(completed)).json()["repeats"]
    assert owner.get(f"/runs/{folds['runs'][0]['id']}").status_code == 200


def test_strangers_find_nothing(api: Api, bruno: User, carla: User, completed: Run) -> None:
    for user in (bruno, carla):
        caller = api.as_person(user)
        assert outcome_of(caller.get(path_of(completed))) == (404, "not_found")
        assert outcome_of(caller.post(path_of(completed), FIVE_FOLDS)) == (404, "not_found")
        assert outcome_of(caller.post(f"{path_of(completed)}/cancel")) == (404, "not_found")
    assert outcome_of(api.anonymous().get(path_of(completed)))[0] == 401
    assert not completed.repeats.exists()


def test_all_are_canceled_at_once_and_then_the_run_can_be_deleted(owner: Caller, completed: Run) -> None:
    owner.post(path_of(completed), FIVE_FOLDS)
    assert outcome_of(owner.delete(f"/runs/{completed.pk}")) == (409, "in_use")
    response = owner.post(f"{path_of(completed)}/cancel")
    (folds,) = response.json()["repeats"]
    assert (response.status_code, folds["ended"], folds["completed"]) == (202, 5, 0)
    assert owner.delete(f"/runs/{completed.pk}").status_code == 204
    assert not Run.objects.exists()


def test_lists_leave_repeats_out_until_they_are_asked_for(owner: Caller, completed: Run) -> None:
    owner.post(path_of(completed), FIVE_FOLDS)
    assert [run["id"] for run in owner.get("/runs").json()["results"]] == [completed.pk]
    listed = owner.get(f"/runs?repeat_of={completed.pk}").json()
    assert (listed["count"], {run["repeat_of"] for run in listed["results"]}) == (5, {completed.pk})
    assert owner.get("/runs?repeat_of=").json()["count"] == 1


def test_the_number_of_queries_does_not_grow_with_the_repeats(owner: Caller, completed: Run) -> None:
    counts = []
    for count in (2, 5):
        owner.post(path_of(completed), {"kind": "seed", "count": count})
        with CaptureQueriesContext(connection) as queries:
            owner.get(path_of(completed))
        counts.append(len(queries))
    assert counts[0] == counts[1]
