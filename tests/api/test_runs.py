"""Runs over the API: created, seen, changed, ended and reproduced by whom it may be, and by nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bert_training.models import Dataset, IdempotentRequest, Job, Log, Metric, Run, Worker
from tests.api.conftest import Api, Caller, job_of, outcome_of, run_for
from tests.personas import BASE_MODEL, claim, make_run, ready_dataset


def wanted(dataset: Dataset, /, **changes: Any) -> dict[str, Any]:
    return {"dataset": dataset.pk, "base_model": BASE_MODEL, "hyperparameters": {"epochs": 2}, **changes}


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


@pytest.fixture
def outsider(api: Api, carla: User) -> Caller:
    return api.as_person(carla)


def test_a_run_is_created_with_all_defaults_filled_in(owner: Caller, dataset: Dataset) -> None:
    response = owner.post("/runs", wanted(dataset, name="Primeira"))
    shown = response.json()
    assert response.status_code == 201
    assert (shown["name"], shown["status"], shown["owner"]) == ("Primeira", "queued", "ana")
    assert shown["hyperparameters"]["epochs"] == 2
    assert shown["hyperparameters"]["learning_rate"] == 5e-5
    assert shown["dataset"] == {"id": dataset.pk, "name": dataset.name, "sha256": dataset.sha256}
    assert shown["job"] == {"id": job_of(Run.objects.get()).pk, "status": "queued", "attempt": 0} | {
        "priority": 0,
        "worker": None,
    }
    assert shown["reproducibility"]["seed"] == 42
    assert shown["reproducibility"]["dataset_sha256"] == dataset.sha256
    assert shown["reproducibility"]["split_digest"] == Run.objects.get().split_digest
    assert shown["created_at"].endswith("Z")
    assert (shown["result"], shown["error"], shown["attempts"]) == (None, None, [])


def test_shares_are_named_in_portuguese_and_stored_under_one_name(owner: Caller, dataset: Dataset) -> None:
    shares = {"treino": 0.5, "validação": 0.2, "teste": 0.3}
    shown = owner.post("/runs", wanted(dataset, hyperparameters=shares)).json()
    stored = {f"{name}_split": shown["hyperparameters"][f"{name}_split"] for name in ("train", "validation", "test")}
    assert stored == {"train_split": 0.5, "validation_split": 0.2, "test_split": 0.3}
    assert sum(shown["split"]["rows"].values()) == dataset.rows


def test_the_letters_of_manifests_are_not_read_for_a_list(owner: Caller, run: Run) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert owner.get("/runs").json()["results"][0]["split"]["source"] == "shares"
    assert not [query for query in queries if "letters" in query["sql"]]


BAD_RUNS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown field": ({"learning_rate": 1e-5}, "unknown_field", "learning_rate"),
    "id": ({"id": 7}, "unknown_field", "id"),
    "owner": ({"owner": "root"}, "unknown_field", "owner"),
    "status": ({"status": "completed"}, "unknown_field", "status"),
    "revision": ({"revision": "main"}, "unknown_field", "revision"),
    "unknown hyperparameter": ({"hyperparameters": {"epoch": 3}}, "unknown_field", "hyperparameters.epoch"),
    "dataset as text": ({"dataset": "1"}, "invalid_field", "dataset"),
    "dataset is true": ({"dataset": True}, "invalid_field", "dataset"),
    "dataset beyond all": ({"dataset": 10**24}, "invalid_field", "dataset"),
    "name as number": ({"name": 123}, "invalid_field", "name"),
    "name too long": ({"name": "x" * 201}, "invalid_field", "name"),
    "shares beyond 1": (
        {"hyperparameters": {"treino": 0.7, "teste": 0.2, "validacao": 0.2}},
        "invalid_field",
        "hyperparameters.test_split",
    ),
    "a share twice": (
        {"hyperparameters": {"treino": 0.7, "train_split": 0.7}},
        "invalid_field",
        "hyperparameters.train_split",
    ),
    "hyperparameters as list": ({"hyperparameters": []}, "invalid_field", "hyperparameters"),
    "epochs 0": ({"hyperparameters": {"epochs": 0}}, "invalid_field", "hyperparameters.epochs"),
    "epochs as text": ({"hyperparameters": {"epochs": "3"}}, "invalid_field", "hyperparameters.epochs"),
    "batch size 1.5": ({"hyperparameters": {"batch_size": 1.5}}, "invalid_field", "hyperparameters.batch_size"),
    "learning rate 1": ({"hyperparameters": {"learning_rate": 1}}, "invalid_field", "hyperparameters.learning_rate"),
    "class weights yes": (
        {"hyperparameters": {"use_class_weights": "yes"}},
        "invalid_field",
        "hyperparameters.use_class_weights",
    ),
    "max_length of no BERT": ({"hyperparameters": {"max_length": 513}}, "invalid_field", "hyperparameters.max_length"),
    "seed beyond 32 bits": ({"hyperparameters": {"seed": 2**32}}, "invalid_field", "hyperparameters.seed"),
    "truncation side up": (
        {"hyperparameters": {"truncation_side": "up"}},
        "invalid_field",
        "hyperparameters.truncation_side",
    ),
    "warm-up beyond the end": (
        {"hyperparameters": {"warmup_steps": 10_000}},
        "invalid_field",
        "hyperparameters.warmup_steps",
    ),
    "model as path": ({"base_model": "../../etc"}, "model_not_allowed", "base_model"),
    "model as address": ({"base_model": "http://169.254.169.254/"}, "model_not_allowed", "base_model"),
    "model without a name": ({"base_model": ""}, "model_not_allowed", "base_model"),
    "model with a look-alike letter": ({"base_model": "gt-\u0430ll-minilm-l6-v2"}, "model_not_allowed", "base_model"),
    "priority as text": ({"priority": "high"}, "invalid_field", "priority"),
}


@pytest.mark.parametrize(("changes", "code", "path"), BAD_RUNS.values(), ids=BAD_RUNS.keys())
def test_a_wrong_run_is_refused_by_field_and_nothing_is_stored(
    owner: Caller, dataset: Dataset, changes: dict[str, Any], code: str, path: str
) -> None:
    response = owner.post("/runs", wanted(dataset, **changes))
    assert outcome_of(response) == (400, code)
    assert path in [error["path"] for error in response.json()["errors"]]
    assert not Run.objects.exists()


def test_a_run_on_a_foreign_or_missing_dataset_is_404(outsider: Caller, dataset: Dataset) -> None:
    assert outcome_of(outsider.post("/runs", wanted(dataset))) == (404, "not_found")
    assert outcome_of(outsider.post("/runs", wanted(dataset, dataset=4711))) == (404, "not_found")
    assert not Run.objects.exists()


def test_a_run_on_a_dataset_that_is_being_checked_is_refused(owner: Caller, ana: User) -> None:
    checking = ready_dataset(ana, status="checking")
    assert outcome_of(owner.post("/runs", wanted(checking))) == (409, "dataset_not_ready")


@pytest.mark.parametrize("field", [{"simulate": True}, {"priority": 5}])
def test_only_operators_simulate_or_go_first(
    api: Api, owner: Caller, root: User, dataset: Dataset, field: dict[str, Any]
) -> None:
    assert outcome_of(owner.post("/runs", wanted(dataset, **field))) == (403, "forbidden")
    response = api.as_person(root).post("/runs", wanted(dataset, **field))
    assert response.status_code == 201
    assert (job_of(Run.objects.get()).priority or Run.objects.get().simulate) in (5, True)


def test_the_same_idempotency_key_answers_with_the_same_run(owner: Caller, dataset: Dataset) -> None:
    first = owner.post("/runs", wanted(dataset), idempotency_key="click-1")
    again = owner.post("/runs", wanted(dataset), idempotency_key="click-1")
    other = owner.post("/runs", wanted(dataset), idempotency_key="click-2")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert Run.objects.count() == 2


def test_the_same_key_with_another_body_is_a_conflict(owner: Caller, dataset: Dataset) -> None:
    owner.post("/runs", wanted(dataset), idempotency_key="click-1")
    response = owner.post("/runs", wanted(dataset, name="other"), idempotency_key="click-1")
    assert outcome_of(response) == (409, "idempotency_conflict")
    assert Run.objects.count() == 1


def test_a_key_belongs_to_one_person_and_one_path(api: Api, owner: Caller, root: User, dataset: Dataset) -> None:
    run = owner.post("/runs", wanted(dataset), idempotency_key="click-1").json()
    assert api.as_person(root).post("/runs", wanted(dataset), idempotency_key="click-1").status_code == 201
    path = f"/runs/{run['id']}/reproduce"
    copy = owner.post(path, idempotency_key="click-1")
    assert (copy.status_code, owner.post(path, idempotency_key="click-1").json()["id"]) == (201, copy.json()["id"])


def test_a_key_is_forgotten_after_a_day(owner: Caller, dataset: Dataset) -> None:
    first = owner.post("/runs", wanted(dataset), idempotency_key="click-1")
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    again = owner.post("/runs", wanted(dataset), idempotency_key="click-1")
    assert (again.status_code, again.json()["id"] != first.json()["id"]) == (201, True)


def test_a_refused_run_does_not_use_up_its_key(owner: Caller, dataset: Dataset) -> None:
    refused = owner.post("/runs", wanted(dataset, base_model="none"), idempotency_key="click-1")
    assert refused.status_code == 400
    assert owner.post("/runs", wanted(dataset), idempotency_key="click-1").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "com espaço"])
def test_a_key_of_another_form_is_refused(owner: Caller, dataset: Dataset, key: str) -> None:
    assert outcome_of(owner.post("/runs", wanted(dataset), idempotency_key=key)) == (400, "invalid_field")


def test_a_stranger_sees_nothing_of_a_run(outsider: Caller, run: Run) -> None:
    assert outsider.get("/runs").json()["count"] == 0
    for path in ("", "/metrics", "/logs"):
        assert outcome_of(outsider.get(f"/runs/{run.pk}{path}")) == (404, "not_found")
    for verb in ("cancel", "finish", "reproduce"):
        assert outcome_of(outsider.post(f"/runs/{run.pk}/{verb}")) == (404, "not_found")
    assert outcome_of(outsider.patch(f"/runs/{run.pk}", {"name": "mine"})) == (404, "not_found")
    assert outcome_of(outsider.delete(f"/runs/{run.pk}")) == (404, "not_found")
    assert (Run.objects.count(), Run.objects.get().status) == (1, "queued")


def test_staff_see_every_run(api: Api, root: User, run: Run) -> None:
    assert api.as_person(root).get(f"/runs/{run.pk}").json()["owner"] == "ana"


def test_a_queued_run_is_canceled_at_once_and_only_once(owner: Caller, run: Run) -> None:
    response = owner.post(f"/runs/{run.pk}/cancel")
    assert (response.status_code, response.json()["status"]) == (202, "canceled")
    assert response.json()["error"]["code"] == "canceled_by_user"
    again = owner.post(f"/runs/{run.pk}/cancel")
    assert outcome_of(again) == (409, "already_finished")
    assert again.json()["status"] == "canceled"


def test_a_running_run_is_canceling_until_its_worker_answers(owner: Caller, run: Run, running_job: Job) -> None:
    shown = owner.post(f"/runs/{run.pk}/cancel").json()
    assert (shown["status"], shown["canceling"]) == ("running", True)
    assert owner.post(f"/runs/{run.pk}/cancel").status_code == 202


def test_finish_asks_the_worker_to_keep_the_best_so_far(owner: Caller, run: Run, running_job: Job) -> None:
    assert owner.post(f"/runs/{run.pk}/finish").status_code == 202
    assert Job.objects.get().finish_requested_at is not None


def test_a_copy_has_everything_of_the_first_and_a_link_back(owner: Caller, run: Run) -> None:
    response = owner.post(f"/runs/{run.pk}/reproduce", {"name": "De novo"})
    copy, first = response.json(), owner.get(f"/runs/{run.pk}").json()
    assert (response.status_code, copy["name"], copy["reproduced_from"]) == (201, "De novo", run.pk)
    for name in ("dataset", "base_model", "hyperparameters", "task"):
        assert copy[name] == first[name]
    assert copy["reproducibility"]["split_digest"] == first["reproducibility"]["split_digest"]
    assert owner.post(f"/runs/{run.pk}/reproduce").json()["name"] == run.name
    assert outcome_of(owner.post(f"/runs/{run.pk}/reproduce", {"seed": 1})) == (400, "unknown_field")


def test_a_run_is_renamed(owner: Caller, run: Run) -> None:
    assert owner.patch(f"/runs/{run.pk}", {"name": "Outro nome"}).json()["name"] == "Outro nome"
    assert outcome_of(owner.patch(f"/runs/{run.pk}", {"name": "  "})) == (400, "invalid_field")
    assert outcome_of(owner.patch(f"/runs/{run.pk}", {"status": "completed"})) == (400, "unknown_field")


def test_tags_and_notes_of_a_run_are_changed_and_its_list_is_filtered_by_them(
    owner: Caller, outsider: Caller, run: Run
) -> None:
    wanted = {"tags": ["Urgente", "2ª tentativa"], "notes": "com a planilha de março"}
    changed = owner.patch(f"/runs/{run.pk}", wanted).json()
    assert (changed["tags"], changed["notes"]) == (["2ª tentativa", "urgente"], "com a planilha de março")
    assert owner.patch(f"/runs/{run.pk}", {"tags": []}).json()["tags"] == []
    owner.patch(f"/runs/{run.pk}", wanted)
    assert owner.get("/runs?tag=URGENTE").json()["count"] == 1
    assert owner.get("/runs?tag=outra").json()["count"] == 0
    assert outsider.get("/runs?tag=urgente").json()["count"] == 0


@pytest.mark.parametrize("tags", [["x"] * 11, ["x" * 41], [""], [" , "], [7], "x", [["x"]]])
def test_tags_that_make_no_sense_are_refused(owner: Caller, run: Run, tags: object) -> None:
    assert outcome_of(owner.patch(f"/runs/{run.pk}", {"tags": tags, "name": "x"})) == (400, "invalid_field")
    run.refresh_from_db()
    assert (list(run.tags.all()), run.name != "x") == ([], True)


def test_a_run_that_has_ended_goes_to_the_archive_and_back(owner: Caller, run: Run) -> None:
    assert outcome_of(owner.patch(f"/runs/{run.pk}", {"archived": True})) == (409, "in_use")
    owner.post(f"/runs/{run.pk}/cancel")
    assert owner.patch(f"/runs/{run.pk}", {"archived": True}).json()["archived_at"]
    assert [owner.get(f"/runs?archived={word}").json()["count"] for word in ("true", "false")] == [1, 0]
    assert owner.patch(f"/runs/{run.pk}", {"archived": False}).json()["archived_at"] is None


def test_runs_are_listed_by_their_figure_the_best_first(owner: Caller, ana: User, run: Run) -> None:
    better = make_run(ana, run.dataset)
    Run.objects.filter(pk=better.pk).update(headline_metric="f1_macro", headline_value=0.9, headline_rank=0.9)
    listed = owner.get("/runs?ordering=-headline_rank").json()["results"]
    assert [(each["id"], each["headline_value"]) for each in listed] == [(better.pk, 0.9), (run.pk, None)]


def test_a_run_is_deleted_only_when_it_has_ended(owner: Caller, run: Run) -> None:
    assert outcome_of(owner.delete(f"/runs/{run.pk}")) == (409, "in_use")
    owner.post(f"/runs/{run.pk}/cancel")
    assert owner.delete(f"/runs/{run.pk}").status_code == 204
    assert outcome_of(owner.get(f"/runs/{run.pk}")) == (404, "not_found")


def test_runs_are_filtered_searched_and_ordered(api: Api, root: User, ana: User, carla: User, dataset: Dataset) -> None:
    first = make_run(ana, dataset, name="alfa")
    second = make_run(carla, ready_dataset(carla), name="beta")
    api.as_person(root).post(f"/runs/{second.pk}/cancel")
    queries = {
        "status=queued": [first.pk],
        "status=canceled": [second.pk],
        "owner=carla": [second.pk],
        f"dataset={dataset.pk}": [first.pk],
        "task=token-classification": [],
        f"base_model={BASE_MODEL}&ordering=id": [first.pk, second.pk],
        "search=ALFA": [first.pk],
        "search=(a%2B)%2B$%25_": [],
        "ordering=-name": [second.pk, first.pk],
        "page=2&page_size=1": [first.pk],
    }
    staff = api.as_person(root)
    for query, expected in queries.items():
        assert [run["id"] for run in staff.get(f"/runs?{query}").json()["results"]] == expected, query


def test_a_search_of_thousands_of_words_is_refused_and_not_tried(
    owner: Caller, run: Run, django_assert_max_num_queries: Any
) -> None:
    """Each word is a condition of its own: 20,000 kept PostgreSQL busy for 15 s, and the portal for as long."""
    with django_assert_max_num_queries(3):  # session, person, roles
        response = owner.get("/runs?search=" + "a+" * 20_000)
    assert outcome_of(response) == (400, "invalid_field")
    assert response.json()["errors"][0]["path"] == "search"
    assert owner.get("/runs?search=" + "e+" * 100).json()["count"] == 1


BAD_QUERIES = [
    "ordering=password",
    "ordering=owner__password",
    "page=abc",
    "page=0",
    "page=-1",
    "page_size=x",
    "page_size=0",
    "status=done",
    "dataset=abc",
    "dataset=1e49",
    "dataset=1.5",
    "stauts=failed",
    "search=%00",
    "q=%00",
    "owner=%00",
]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_wrong_list_query_is_refused(owner: Caller, query: str) -> None:
    assert outcome_of(owner.get(f"/runs?{query}")) == (400, "invalid_field")


def test_a_page_beyond_the_end_is_404_and_a_large_page_is_cut(owner: Caller, run: Run) -> None:
    assert outcome_of(owner.get("/runs?page=2")) == (404, "not_found")
    assert outcome_of(owner.get(f"/runs?page={10**30}")) == (404, "not_found")
    assert owner.get("/runs?page_size=1000000").json()["count"] == 1


def test_the_list_has_its_form_and_links(owner: Caller, ana: User, dataset: Dataset) -> None:
    for _number in range(3):
        make_run(ana, dataset)
    page = owner.get("/runs?page=2&page_size=1").json()
    assert (page["count"], len(page["results"])) == (3, 1)
    assert "page=3" in page["next"]
    assert "page_size=1" in page["previous"]


def test_the_number_of_queries_does_not_grow_with_the_runs(
    owner: Caller, ana: User, dataset: Dataset, worker: Worker, other_worker: Worker, django_assert_max_num_queries: Any
) -> None:
    make_run(ana, dataset)
    claim(worker)
    with django_assert_max_num_queries(10) as few:
        owner.get("/runs")
    for _number in range(4):
        make_run(ana, dataset)
    claim(other_worker)
    with django_assert_max_num_queries(len(few)):
        assert owner.get("/runs").json()["count"] == 5


def test_metrics_come_by_cursor_and_split(owner: Caller, ana: User, dataset: Dataset, worker: Worker) -> None:
    run = run_for(ana, worker, dataset=dataset)
    attempt = job_of(run).attempts.get()
    for seq, split in enumerate(["train", "validation", "train"], start=1):
        Metric.objects.create(run=run, attempt=attempt, seq=seq, epoch=1, step=seq, split=split, values={"loss": None})
    page = owner.get(f"/runs/{run.pk}/metrics?limit=2").json()
    assert [point["step"] for point in page["points"]] == [1, 2]
    rest = owner.get(f"/runs/{run.pk}/metrics?after={page['next_after']}").json()
    assert [(point["step"], point["values"]) for point in rest["points"]] == [(3, {"loss": None})]
    assert owner.get(f"/runs/{run.pk}/metrics?after={rest['next_after']}").json() == {"points": []} | {
        "next_after": rest["next_after"]
    }
    assert [point["step"] for point in owner.get(f"/runs/{run.pk}/metrics?split=validation").json()["points"]] == [2]


def test_logs_come_by_cursor_and_level(owner: Caller, ana: User, dataset: Dataset, worker: Worker) -> None:
    run = run_for(ana, worker, dataset=dataset)
    attempt = job_of(run).attempts.get()
    for seq, level in enumerate(["INFO", "ERROR", "INFO"], start=1):
        moment = timezone.now()
        Log.objects.create(run=run, attempt=attempt, seq=seq, timestamp=moment, level=level, message=f"m{seq}")
    page = owner.get(f"/runs/{run.pk}/logs?limit=1").json()
    assert [(line["seq"], line["attempt"], line["message"]) for line in page["lines"]] == [(1, 1, "m1")]
    rest = owner.get(f"/runs/{run.pk}/logs?after={page['next_after']}&limit=9999999").json()["lines"]
    assert [line["message"] for line in rest] == ["m2", "m3"]
    assert [line["message"] for line in owner.get(f"/runs/{run.pk}/logs?level=ERROR").json()["lines"]] == ["m2"]


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1e3", "limit=0", "limit=-1", "limit=", "level=LOUD"])
def test_wrong_positions_are_refused(owner: Caller, run: Run, query: str) -> None:
    response = owner.get(f"/runs/{run.pk}/logs?{query}")
    if query == "limit=":
        assert response.status_code == 200
    else:
        assert outcome_of(response) == (400, "invalid_field")


def test_a_position_beyond_all_finds_nothing(owner: Caller, run: Run) -> None:
    assert owner.get(f"/runs/{run.pk}/metrics?after={10**30}").json()["points"] == []


@pytest.mark.parametrize("pk", ["0", "-1", str(10**24), "9" * 5000, "%00", "../", "1%2F..", "x"])
def test_an_id_that_cannot_be_is_404(owner: Caller, pk: str) -> None:
    assert outcome_of(owner.get(f"/runs/{pk}")) == (404, "not_found")
