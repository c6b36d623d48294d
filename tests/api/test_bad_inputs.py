"""The list of bad inputs, rows 49 to 132: which test proves each row, and the rows that have no better place.

A row is a line of the list that the project's founders agreed on; its number stands in the id of each case.
"""

import json
import logging
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.models import Dataset, Run
from bert_training.services.datasets import delete_dataset
from bert_training.services.tokens import issue_user_token
from bert_training.tasks.hyperparameters import PROBLEMS_NAMED
from portal.logs import JsonFormatter
from tests.api.conftest import Api, Caller, outcome_of
from tests.personas import BASE_MODEL, PASSWORD, ready_dataset


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


def post_run(caller: Caller, dataset: Dataset, **changes: Any) -> Any:
    body = {"dataset": dataset.pk, "base_model": BASE_MODEL, "hyperparameters": {}, **changes}
    return caller.post("/runs", body)


# (row, hyperparameter, values that are refused, the range that the answer names)
HYPERPARAMETERS: list[tuple[int, str, list[Any], str]] = [
    (59, "learning_rate", [True, "1e-3", [0.1], None], "1e-09 to 0.1"),
    (59, "epochs", [True, "1", 3.0], "1 to 1000"),
    (91, "learning_rate", [0, -1, 1, "abc", 1e-300], "1e-09 to 0.1"),
    (92, "batch_size", [0, 1.5, 10**6], "1 to 1024"),
    (93, "epochs", [0, -3, 10**9], "1 to 1000"),
    (94, "max_length", [0, 513, 10**9], ""),
    (95, "train_split", [0, 1, 1.2], "between 0 and 1"),
    (96, "warmup_steps", [1000, -1], ""),
    (97, "weight_decay", [-1, 2], "0 to 1"),
    (98, "early_stopping_patience", [-1, 1.5, 1001], "0 to 1000"),
    (99, "seed", [-1, 2**64, 2**32, 1.5], "0 to 4294967295"),
    (100, "truncation_side", ["up", "", True], "right, left"),
    (100, "use_class_weights", ["yes", 1, None], "true or false"),
    (101, "epochs", [{"value": 3}, [3]], "1 to 1000"),
]
WRONG_SETTINGS = [
    pytest.param(name, value, words, id=f"row {row}: {name} {value!r:.20}")
    for row, name, values, words in HYPERPARAMETERS
    for value in values
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG_SETTINGS)
def test_a_wrong_hyperparameter_is_refused_with_its_range(
    owner: Caller, dataset: Dataset, name: str, value: Any, words: str
) -> None:
    owner.headers["accept-language"] = "en"
    response = post_run(owner, dataset, hyperparameters={name: value})
    assert outcome_of(response) == (400, "invalid_field")
    error = response.json()["errors"][0]
    assert error["path"] == f"hyperparameters.{name}"
    assert words in error["message"]
    assert not Run.objects.exists()


@pytest.mark.parametrize(("name", "value"), [("early_stopping_patience", 1000), ("early_stopping_patience", 0)])
def test_a_patience_above_the_epochs_is_taken(owner: Caller, dataset: Dataset, name: str, value: int) -> None:
    """Row 98: 0 is off, and above `epochs` it never triggers."""
    assert post_run(owner, dataset, hyperparameters={name: value, "epochs": 2}).status_code == 201


def test_a_megabyte_of_settings_is_refused(owner: Caller, dataset: Dataset) -> None:
    """Row 101: once 117 s and an answer of 12 MB, since each of the 40,000 unknown names was explained."""
    settings = {f"key_{number}": 1 for number in range(40_000)}
    response = post_run(owner, dataset, hyperparameters=settings)
    assert outcome_of(response) == (400, "unknown_field")
    assert len(response.json()["errors"]) == PROBLEMS_NAMED


MODEL_NAMES = [
    "../../etc",
    "/etc/passwd",
    "C:\\x",
    "file:///x",
    "http://169.254.169.254/",
    "a/b/c",
    "a b/c",
    "",
    "gt-\u0430ll-minilm-l6-v2",
    BASE_MODEL.upper(),
    f" {BASE_MODEL}",
    f"{BASE_MODEL}\n",
]


@pytest.mark.parametrize("name", MODEL_NAMES, ids=[f"row 102: {name!r}" for name in MODEL_NAMES])
def test_a_base_model_that_is_not_in_the_catalogue_is_refused(owner: Caller, dataset: Dataset, name: str) -> None:
    assert outcome_of(post_run(owner, dataset, base_model=name)) == (400, "model_not_allowed")
    assert not Run.objects.exists()


def test_a_name_of_300_characters_is_refused(owner: Caller, dataset: Dataset) -> None:
    """Row 102."""
    assert outcome_of(post_run(owner, dataset, base_model="a" * 300)) == (400, "invalid_field")


def test_a_deleted_dataset_is_no_dataset(owner: Caller, ana: User) -> None:
    """Row 105."""
    dataset = ready_dataset(ana)
    delete_dataset(Dataset.objects.get(pk=dataset.pk))
    assert outcome_of(post_run(owner, dataset)) == (404, "not_found")


IDS = ["0", "-1", str(10**24), "9" * 5000, "%00", "..", "%2e%2e%2f", "1e3", "٣", "1.0", "%201"]
ADDRESSES = ["/runs/{}/cancel", "/datasets/{}", "/datasets/{}/download", "/jobs/{}/progress", "/jobs/{}/complete"]


@pytest.mark.parametrize("pk", IDS, ids=[f"row 66: {pk[:30]}" for pk in IDS])
def test_an_id_that_cannot_be_leads_nowhere(api: Api, owner: Caller, worker: Any, pk: str) -> None:
    gpu = api.as_worker(worker)
    end = {"attempt": 1, "phase": "training", "outcome": "released", "log_seq": 0, "metric_seq": 0}
    for address in ADDRESSES:
        caller, method = (gpu, "POST") if address.startswith("/jobs") else (owner, "GET")
        method = "POST" if address.endswith("cancel") else method
        response = caller.raw(method, address.format(pk), json.dumps(end).encode(), "application/json")
        assert outcome_of(response) == (404, "not_found"), address


def test_who_has_signed_out_is_a_stranger(ana: User) -> None:
    """Row 86."""
    client = Client()
    assert client.login(username="ana", password=PASSWORD)
    copy = Client()
    copy.cookies.update(client.cookies)
    assert Caller(copy).get("/runs").status_code == 200
    client.post("/sign-out")
    assert outcome_of(Caller(copy).get("/runs")) == (401, "token_missing")


def test_a_token_in_the_query_is_not_logged(
    api: Api, ana: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Row 88: also when the answer is an error of ours, which the log tells at length."""

    def broken(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("seven")

    token = issue_user_token(ana, label="tests")[1]
    caplog.set_level(logging.DEBUG)
    assert api.anonymous().get(f"/runs?token={token}").status_code == 401
    monkeypatch.setattr("bert_training.api.views.queue.queue_status", broken)
    person = api.as_person(ana)
    person.client.raise_request_exception = False
    assert person.get(f"/queue/status?token={token}").status_code == 500
    written = [JsonFormatter().format(record) for record in caplog.records if not record.name.startswith("django.db")]
    assert any("seven" in entry for entry in written)
    assert not any(token in entry for entry in written)


SEARCHES = ["(a+)+$" * 33, "%_" * 100, "'\"\\" * 60, "\u202e", "😀", '"unbalanced', "a," * 100]


@pytest.mark.parametrize("search", SEARCHES, ids=[f"row 130: {search!r:.20}" for search in SEARCHES])
def test_a_search_is_plain_text(owner: Caller, run: Run, search: str) -> None:
    assert owner.get(f"/runs?search={quote(search)}").json()["count"] in (0, 1)
