"""Scopes of tokens: every address that writes names the one it needs, and a token never does more than it says."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.permissions import SAFE_METHODS

from bert_training.api.frame import ApiView, WorkerView
from bert_training.api.urls import urlpatterns
from bert_training.contract.enums import TokenScope
from bert_training.models import Run, Worker
from bert_training.services.tokens import issue_user_token
from tests.api.conftest import Api, Caller, outcome_of
from tests.personas import token_of

LEVELS = tuple(TokenScope)
UNKNOWN = "unknown"  # the address behind all others, which answers 404 to everybody


def calls_that_write() -> Iterator[Any]:
    """Yield (path of a row that is not there, view, method) of every such call for people, from the addresses."""
    for pattern in urlpatterns:
        view: Any = vars(pattern.callback)["view_class"]
        if pattern.name == UNKNOWN or not issubclass(view, ApiView) or issubclass(view, WorkerView):
            continue
        path = "/" + str(pattern.pattern).replace("<int:pk>", "999999")
        methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - set(SAFE_METHODS)
        for method in sorted(methods):
            yield pytest.param(path, view, method, id=f"{method} {pattern.name}")


CALLS = list(calls_that_write())


def with_scope(api: Api, user: User, scope: TokenScope) -> Caller:
    return api.with_token(issue_user_token(user, label="tests", scope=scope)[1])


@pytest.mark.parametrize(("path", "view", "method"), CALLS)
def test_every_call_that_writes_names_the_scope_that_it_needs(path: str, view: Any, method: str) -> None:
    assert view.scopes[method] in (TokenScope.RUN, TokenScope.MANAGE)


def test_a_token_of_each_scope_does_what_its_scope_holds_and_no_more(api: Api, root: User) -> None:
    for scope in LEVELS:
        caller = with_scope(api, root, scope)
        for path, view, method in (call.values for call in CALLS):
            response = caller.raw(method, path, b"{}", "application/json")
            needed = view.scopes[method]
            if LEVELS.index(scope) < LEVELS.index(needed):
                assert outcome_of(response) == (403, "scope_missing"), (scope, method, path)
                assert response.json()["scope"] == needed
                assert f'"{needed}"' in response.json()["message"]
            else:
                assert outcome_of(response)[0] in (400, 404, 415), (scope, method, path)


def test_a_token_reads_by_default(api: Api, run: Run, ana: User) -> None:
    caller = api.with_token(issue_user_token(ana, label="BI")[1])
    for path in (
        "/runs",
        "/datasets",
        f"/runs/{run.pk}",
        f"/runs/{run.pk}/logs",
        f"/datasets/{run.dataset_id}/download",
    ):
        assert caller.get(path).status_code == 200, path
    assert outcome_of(caller.post(f"/runs/{run.pk}/cancel")) == (403, "scope_missing")


def test_a_scope_adds_no_right_to_those_of_the_holder(api: Api, run: Run, vera: User, carla: User) -> None:
    assert outcome_of(with_scope(api, carla, TokenScope.MANAGE).delete(f"/runs/{run.pk}")) == (404, "not_found")
    assert outcome_of(with_scope(api, carla, TokenScope.MANAGE).get("/workers")) == (403, "forbidden")
    assert outcome_of(with_scope(api, vera, TokenScope.MANAGE).get(f"/runs/{run.pk}")) == (404, "not_found")


def test_a_small_scope_does_not_tell_which_rows_there_are(api: Api, run: Run, carla: User) -> None:
    caller = with_scope(api, carla, TokenScope.READ)
    answers = [outcome_of(caller.delete(f"/runs/{number}")) for number in (run.pk, 999999)]
    assert answers == [(403, "scope_missing")] * 2


def test_a_worker_has_no_scope_and_needs_none(api: Api, worker: Worker, ana: User) -> None:
    caller = api.with_token(token_of(worker))
    assert caller.post("/workers/heartbeat", {}, x_worker_protocol="1").status_code == 400
    assert outcome_of(caller.post("/runs", {})) == (403, "forbidden")
