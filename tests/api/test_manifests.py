"""Manifests over the API: the worker's, a run's as CSV, and a dataset's own, sent and forgotten."""

from collections import Counter
from hashlib import sha256
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from bert_training.models import Dataset, DatasetManifest, Job, Run, Worker
from tests.api.conftest import Api, Caller, body_of, outcome_of
from tests.checking import judge_manifests_here
from tests.personas import make_run

pytestmark = pytest.mark.embedded

SPLITS = [*["treino"] * 8, *["validacao"] * 3, "teste"]
OWN = "".join(f"{line}\n" for line in ["linha,conjunto", *(f"{row},{name}" for row, name in enumerate(SPLITS, 2))])


def csv(content: str = OWN, name: str = "divisao.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode(), content_type="text/csv")


@pytest.fixture(autouse=True)
def _judge_here(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_manifests_here(monkeypatch)


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


@pytest.fixture
def path(dataset: Dataset) -> str:
    return f"/datasets/{dataset.pk}/manifest"


# --- the worker's


def test_the_worker_gets_the_manifest_of_its_claim(api: Api, worker: Worker, running_job: Job, run: Run) -> None:
    answer = api.as_worker(worker).get(f"/jobs/{running_job.pk}/manifest")
    assert answer.headers["ETag"] == f'"{run.split_digest}"'
    assert sha256(body_of(answer)).hexdigest() == run.split_digest
    again = api.as_worker(worker).get(f"/jobs/{running_job.pk}/manifest", if_none_match=answer.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")


def test_nobody_else_gets_the_manifest_of_a_job(
    api: Api, worker: Worker, other_worker: Worker, running_job: Job, ana: User
) -> None:
    address = f"/jobs/{running_job.pk}/manifest"
    assert outcome_of(api.as_worker(other_worker).get(address)) == (404, "not_found")
    assert outcome_of(api.as_person(ana).get(address)) == (403, "forbidden")
    assert outcome_of(api.as_worker(worker).get("/jobs/4711/manifest")) == (404, "not_found")
    assert outcome_of(api.as_worker(worker).get(address, x_worker_protocol="")) == (426, "protocol_too_old")
    Job.objects.filter(pk=running_job.pk).update(worker=None, status="queued")
    assert outcome_of(api.as_worker(worker).get(address)) == (404, "not_found")


# --- a run's


def test_the_split_of_a_run_is_downloaded_as_csv(owner: Caller, run: Run) -> None:
    answer = owner.get(f"/runs/{run.pk}/manifest", accept="text/csv")
    head, *lines = body_of(answer).decode().splitlines()
    assert (answer.headers["Content-Type"], head) == ("text/csv; charset=utf-8", "linha,conjunto")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert [int(line.split(",")[0]) for line in lines] == list(range(2, 14))
    shown = owner.get(f"/runs/{run.pk}").json()["split"]
    words = {"train": "treino", "validation": "validacao", "test": "teste"}
    assert Counter(line.split(",")[1] for line in lines) == {words[name]: n for name, n in shown["rows"].items()}
    assert shown | {"rows": {}} == {
        "source": "shares",
        "protection": "near",
        "groups": 0,
        "moved": 0,
        "left_out": 0,
        "rows": {},
    }


def test_a_run_of_before_these_facts_shows_none(owner: Caller, run: Run) -> None:
    run.split_manifest.facts = {}
    run.split_manifest.save()
    assert owner.get(f"/runs/{run.pk}").json()["split"] is None


# --- a dataset's own


def test_an_own_manifest_is_used_by_the_runs_that_follow(owner: Caller, ana: User, dataset: Dataset, path: str) -> None:
    assert outcome_of(owner.get(path)) == (404, "not_found")
    answer = owner.upload(path, file=csv())
    assert answer.status_code == 200
    assert answer.json() | {"created_at": ""} == {
        "original_name": "divisao.csv",
        "rows": {"train": 8, "validation": 3, "test": 1},
        "left_out": 0,
        "created_at": "",
    }
    assert owner.get(path).json() == answer.json()
    run = make_run(ana, dataset)
    assert owner.get(f"/runs/{run.pk}").json()["split"]["source"] == "manifest"
    assert body_of(owner.get(f"/runs/{run.pk}/manifest")).decode().split() == OWN.split()


def test_a_manifest_that_takes_the_place_of_another_has_its_own_time(owner: Caller, path: str) -> None:
    first, second = (owner.upload(path, file=csv()).json()["created_at"] for _ in range(2))
    assert first < second == owner.get(path).json()["created_at"]


def test_a_manifest_that_does_not_fit_is_refused_with_each_line_and_the_old_one_stays(owner: Caller, path: str) -> None:
    owner.headers["accept-language"] = "en"
    owner.upload(path, file=csv())
    answer = owner.upload(path, file=csv(OWN.replace("12,", "99,").replace("3,treino", "3,treinno")))
    assert outcome_of(answer) == (400, "invalid_manifest")
    assert answer.json()["counts"] == {
        "manifest_split_unknown": 1,
        "manifest_row_unknown": 1,
        "manifest_row_missing": 1,
    }
    found = {(error["code"], error["cell"]): error["message"] for error in answer.json()["errors"]}
    assert found["manifest_row_unknown", "A12"] == "The data have no row 99."
    assert found["manifest_split_unknown", "B3"] == "“treinno” is not a split."
    assert "Row 12" in found["manifest_row_missing", ""]
    assert owner.get(path).json()["rows"]["train"] == 8


@pytest.mark.parametrize("content", ["", "%PDF-1.7 no table", "linha;conjunto\n"], ids=["empty", "PDF", "header"])
def test_a_file_without_lines_is_refused(owner: Caller, path: str, content: str) -> None:
    assert outcome_of(owner.upload(path, file=csv(content))) == (400, "invalid_manifest")
    assert not DatasetManifest.objects.exists()


def test_a_manifest_is_forgotten(owner: Caller, ana: User, dataset: Dataset, path: str) -> None:
    owner.upload(path, file=csv())
    for _twice in range(2):
        assert owner.delete(path).status_code == 204
    assert outcome_of(owner.get(path)) == (404, "not_found")
    assert make_run(ana, dataset).split_manifest.facts["source"] == "shares"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({}, "invalid_field"),
        ({"file": "text"}, "invalid_field"),
        ({"file": csv(), "sheet": "x"}, "unknown_field"),
        ({"file": [csv(), csv()]}, "invalid_field"),
    ],
)
def test_another_form_is_refused(owner: Caller, path: str, parts: dict[str, Any], code: str) -> None:
    assert outcome_of(owner.upload(path, **parts)) == (400, code)


def test_a_dataset_that_is_being_checked_takes_no_manifest(owner: Caller, dataset: Dataset, path: str) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(status="checking")
    assert outcome_of(owner.upload(path, file=csv())) == (409, "dataset_not_ready")


def test_a_stranger_finds_no_manifest(api: Api, carla: User, run: Run, path: str) -> None:
    stranger = api.as_person(carla)
    answers = [stranger.get(path), stranger.delete(path), stranger.upload(path, file=csv())]
    answers.append(stranger.get(f"/runs/{run.pk}/manifest"))
    assert [outcome_of(answer) for answer in answers] == [(404, "not_found")] * 4
