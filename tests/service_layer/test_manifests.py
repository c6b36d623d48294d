"""A user's own manifest is judged in a child process, as every stranger's file is."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from bert_training.data.splitting.manifest_sheet import check_manifest
from bert_training.models import Dataset, DatasetManifest
from bert_training.services.datasets import delete_dataset
from bert_training.services.errors import DatasetGone, DatasetNotReady, ServiceError
from bert_training.services.jobs import cancel_job
from bert_training.services.manifests import ManifestInvalid, manifest_of, run_manifest_csv, upload_manifest
from bert_training.services.stored_files import drop_files
from tests.checking import judge_manifests_here
from tests.data.packages import SHEET_PART, write_package
from tests.personas import make_run

OWN = b"linha,conjunto\n" + b"".join(b"%d,treino\n" % row for row in range(2, 12)) + b"12,validacao\n13,teste\n"


def file(content: bytes = OWN, name: str = "divisao.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_a_manifest_is_read_by_the_child_and_replaces_the_one_before(dataset: Dataset) -> None:
    upload_manifest(dataset, file(name="first.csv"))
    found = upload_manifest(dataset, file(OWN.replace(b"11,treino", b"11,-")))
    assert found == manifest_of(dataset)
    assert (found.rows, found.left_out) == ({"train": 9, "validation": 1, "test": 1}, 1)
    assert DatasetManifest.objects.get().original_name == "divisao.csv"


def test_a_hostile_file_is_refused_with_its_reason(dataset: Dataset, tmp_path: Path) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">]><worksheet/>'
    workbook = write_package(tmp_path / "x", {SHEET_PART: laughs}).read_bytes()
    with pytest.raises(ManifestInvalid) as refusal:
        upload_manifest(dataset, file(workbook, "divisao.xlsx"))
    assert refusal.value.counts == {"file_unsafe_xml": 1}
    assert manifest_of(dataset) is None


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_manifests_here(monkeypatch)


def test_a_dataset_that_is_not_ready_and_a_file_that_is_too_large_are_refused(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.services.sources.UPLOAD_BYTES", len(OWN) - 1)
    with pytest.raises(ServiceError) as refusal:
        upload_manifest(dataset, file())
    assert refusal.value.http_status == 413
    dataset.status = "checking"
    with pytest.raises(DatasetNotReady):
        upload_manifest(dataset, file())


@pytest.mark.usefixtures("here")
def test_the_manifest_goes_with_its_dataset(ana: User, dataset: Dataset) -> None:
    upload_manifest(dataset, file())
    cancel_job(make_run(ana, dataset).job.pk)
    delete_dataset(dataset)
    assert not DatasetManifest.objects.exists()


@pytest.mark.parametrize("has_run", [True, False])
def test_a_manifest_of_a_dataset_that_is_deleted_meanwhile_is_not_kept(
    ana: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, *, has_run: bool
) -> None:
    def judge_slowly(_function: str, arguments: dict[str, Any]) -> dict[str, Any]:
        delete_dataset(Dataset.objects.get(pk=dataset.pk))
        return check_manifest(**arguments)

    if has_run:
        cancel_job(make_run(ana, dataset).job.pk)
    monkeypatch.setattr("bert_training.services.manifests.run_in_sandbox", judge_slowly)
    with pytest.raises(DatasetGone):
        upload_manifest(dataset, file())
    assert not DatasetManifest.objects.exists()


def test_without_the_stored_table_there_is_no_csv(ana: User, dataset: Dataset) -> None:
    run = make_run(ana, dataset)
    drop_files([dataset.table_key])
    with pytest.raises(DatasetGone):
        run_manifest_csv(run)
