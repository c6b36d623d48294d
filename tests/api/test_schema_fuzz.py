"""Every call of the OpenAPI document with generated requests, right and wrong, by every kind of caller.

Never a 5xx, only a status that the document names, and the body that it promises for that status.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bert_training.contract.enums import ShareLevel, TokenScope
from bert_training.contract.limits import API_PREFIX
from bert_training.models import Job, Run, Team, Worker
from bert_training.services.tokens import issue_user_token
from tests.api.test_catalogue import PROMISED
from tests.personas import make_user, share, token_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CALLS = sorted(call.strip() for call in PROMISED.replace("\n", " ").split(","))
# Each starts a process, or two, that read the file.
SLOW = ("datasets/validate", "datasets/upload", "datasets/{id}/problems", "datasets/{id}/workbook")
# Requests of all calls together, and what a slow one gets of the share of the others.
EXAMPLES = 500
LONG_EXAMPLES = 20_000
SLOW_SHARE = 1 / 3
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def document() -> Iterator[Any]:
    """The calls of the document, sent to the application without a server and inside the test's transaction."""
    generator: Any = SchemaGenerator  # it has no types
    schema = schemathesis.openapi.from_dict(generator().get_schema(request=None, public=True))
    schema.app = get_wsgi_application()
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield schema
    for signal in signals:
        signal.connect(close_old_connections)


@dataclass(frozen=True)
class World:
    """Who calls (headers by name) and the numbers that lead to rows."""

    callers: dict[str, dict[str, str]]
    numbers: dict[str, int]


@pytest.fixture
def people(ana: User, bruno: User, carla: User, vera: User, otto: User, root: User) -> list[User]:
    """Owner, teammate, stranger, viewer, operator, staff, and somebody without a role."""
    return [ana, bruno, carla, vera, otto, root, make_user("nora", roles=[])]


@pytest.fixture
def world(people: list[User], team: Team, worker: Worker, other_worker: Worker, run: Run, running_job: Job) -> World:
    """Ana's run in training, for her team to use, and everybody who might call."""
    for row in (run, run.dataset):
        share(row, team, ShareLevel.USE)
    scope = TokenScope.MANAGE
    tokens = {user.username: issue_user_token(user, label="tests", scope=scope)[1] for user in people}
    tokens |= {"worker": token_of(worker), "other worker": token_of(other_worker)}
    callers = {name: {"Authorization": f"Bearer {token}", "X-Worker-Protocol": "1"} for name, token in tokens.items()}
    numbers = {"dataset": run.dataset_id, "run": run.pk, "job": running_job.pk}
    return World({**callers, "nobody": {}}, numbers)


def aim(case: Any, numbers: dict[str, int]) -> None:
    """Put the numbers of real rows where a generated number would lead to nothing."""
    kind = case.path.split("/")[3].removesuffix("s")
    if "id" in case.path_parameters and kind in numbers:
        case.path_parameters["id"] = numbers[kind]
    if isinstance(case.body, dict):
        real = {"job_id": numbers["job"], "attempt": 1, "dataset": numbers["dataset"]}
        case.body.update({name: value for name, value in real.items() if isinstance(case.body.get(name), int)})


def owner_of(path: str) -> str:
    """Return who gets furthest at an address: half of the requests come from there."""
    if path.startswith("workers") and path != "workers/heartbeat":
        return "root"
    return "worker" if path.startswith(("jobs", "logs", "metrics", "workers")) else "ana"


def share_of(path: str, examples: int) -> int:
    """Return how many of all examples go to one call."""
    shares = [SLOW_SHARE if call.split()[1] in SLOW else 1 for call in CALLS]
    return math.ceil((SLOW_SHARE if path in SLOW else 1) * examples / sum(shares))


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(LONG_EXAMPLES, marks=pytest.mark.long)])
@pytest.mark.parametrize("call", CALLS)
def test_every_call_answers_as_documented(document: Any, world: World, call: str, examples: int) -> None:
    method, path = call.split()
    operation = document[f"{API_PREFIX}/{path}"][method]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES))
    is_short = examples == EXAMPLES

    @settings(
        max_examples=share_of(path, examples),
        deadline=None,
        derandomize=is_short,  # the long form looks elsewhere each time, and prints how to repeat what it found
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.just(owner_of(path)) | st.sampled_from(sorted(world.callers)), st.booleans())
    def send(case: Any, caller: str, is_aimed: bool) -> None:
        if is_aimed:
            aim(case, world.numbers)
        with transaction.atomic():
            case.call_and_validate(headers=world.callers[caller], checks=CHECKS)
            transaction.set_rollback(True)

    send()
