"""What a check found, over the API: in pages, as a spreadsheet, in the file itself."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook
from pytest_django import Settings

from bert_training.contract.enums import Split
from bert_training.models import Dataset, Worker
from bert_training.services.datasets import register_upload
from bert_training.tasks.intake import CheckRequest
from tests.api.conftest import Answer, Api, Caller, body_of, outcome_of
from tests.checking import make_workbooks_here
from tests.personas import token_of
from tests.workbooks import workbook_of

TASK = "text-classification"
LABELS = ["saúde", "Saúde", "cobrança"]  # two of them look alike


@pytest.fixture(autouse=True)
def _make_workbooks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    make_workbooks_here(monkeypatch)


@pytest.fixture
def dataset(ana: User) -> Dataset:
    rows = [(f"O autor {at} pede o que consta.", LABELS[at % 3]) for at in range(12)]
    file = SimpleUploadedFile("petições.xlsx", workbook_of([("texto", "label"), *rows, *rows[:3]]))
    return register_upload(owner=ana, uploads={Split.TRAIN: file}, request=CheckRequest(TASK)).dataset


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


def sheet_of(answer: Answer) -> Any:
    return load_workbook(io.BytesIO(body_of(answer))).active


def test_all_problems_are_listed_in_pages(owner: Caller, dataset: Dataset) -> None:
    path = f"/datasets/{dataset.pk}/problems"
    page = owner.get(f"{path}?page_size=1", accept="application/json").json()
    assert page["count"] >= 2
    assert len(page["results"]) == 1
    assert page["next"].endswith("page=2&page_size=1")
    codes = {problem["code"] for problem in owner.get(path, accept="application/json").json()["results"]}
    assert {"similar_labels", "duplicate_texts"} <= codes
    assert outcome_of(owner.get(f"{path}?page=99", accept="application/json"))[0] == 404


def test_without_asking_for_json_the_problems_are_a_spreadsheet(owner: Caller, dataset: Dataset) -> None:
    answer = owner.get(f"/datasets/{dataset.pk}/problems")
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert "filename*=utf-8''peti%C3%A7%C3%B5es" in answer.headers["Content-Disposition"]
    assert sheet_of(answer).max_row > 1


def test_the_file_comes_back_with_the_findings_and_may_be_asked_for_again(owner: Caller, dataset: Dataset) -> None:
    answer = owner.get(f"/datasets/{dataset.pk}/workbook")
    assert sheet_of(answer)["G2"].value == f"{dataset.sha256[:12]}:2"
    etag = answer.headers["ETag"]
    assert owner.get(f"/datasets/{dataset.pk}/workbook", if_none_match=etag).status_code == 304


def test_strangers_and_workers_get_nothing(api: Api, carla: User, worker: Worker, dataset: Dataset) -> None:
    for path in ("problems", "workbook"):
        assert outcome_of(api.as_person(carla).get(f"/datasets/{dataset.pk}/{path}"))[0] == 404
        assert outcome_of(api.with_token(token_of(worker)).get(f"/datasets/{dataset.pk}/{path}"))[0] == 403


def test_a_dataset_that_is_still_being_checked_has_no_findings(owner: Caller, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(status="checking")
    for path in ("problems", "workbook"):
        answer = owner.get(f"/datasets/{dataset.pk}/{path}")
        assert outcome_of(answer) == (409, "dataset_not_ready")


def test_of_a_large_file_the_workbook_is_said_to_be_on_its_way(
    owner: Caller, dataset: Dataset, settings: Settings
) -> None:
    settings.BACKGROUND_CHECK_BYTES = 10
    answer = owner.get(f"/datasets/{dataset.pk}/workbook")
    assert outcome_of(answer) == (409, "dataset_not_ready")
    assert answer.json()["retry_after"] == 10
    problems = owner.get(f"/datasets/{dataset.pk}/problems", accept="application/json")
    assert outcome_of(problems) == (413, "too_large")
