"""Every call of the OpenAPI document with generated requests, right and wrong, by every kind of caller.

Never a 5xx, only a status that the document names, and the body that it promises for that status.
"""

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

from bert_training.contract.enums import TokenScope
from bert_training.contract.limits import API_PREFIX
from bert_training.models import Job, Run, Worker
from bert_training.services.tokens import issue_user_token
from tests.api.test_catalogue import PROMISED
from tests.personas import token_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CALLS = sorted(call.strip() for call in PROMISED.replace("\n", " ").split(","))
# Each starts a process, or two, that read the file.
SLOW = ("datasets/validate", "datasets/upload", "datasets/{id}/problems", "datasets/{id}/workbook")
EXAMPLES = 8
LONG_EXAMPLES = 50
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
def world(ana: User, carla: User, root: User, worker: Worker, run: Run, running_job: Job) -> World:
    """Ana's run in training, and everybody who might call."""
    people = {
        user.username: issue_user_token(user, label="tests", scope=TokenScope.MANAGE)[1] for user in (ana, carla, root)
    }
    tokens = {**people, "worker": token_of(worker)}
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


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(LONG_EXAMPLES, marks=pytest.mark.long)])
@pytest.mark.parametrize("call", CALLS)
def test_every_call_answers_as_documented(document: Any, world: World, call: str, examples: int) -> None:
    method, path = call.split()
    operation = document[f"{API_PREFIX}/{path}"][method]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES))
    is_short = examples == EXAMPLES

    @settings(
        max_examples=examples // 3 if path in SLOW else examples,
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
