"""Repairs on stored datasets: a new dataset of the same bytes, the same table for the same recipe."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pytest_django import Settings

from bert_training.background import check_dataset
from bert_training.contract.enums import Split
from bert_training.models import Dataset, DatasetManifest
from bert_training.services.datasets import DatasetInvalid, delete_dataset, register_upload, repair_dataset
from bert_training.services.divisions import pack_letters, unpack_letters
from bert_training.services.errors import DatasetGone, DatasetNotReady, ServiceError
from bert_training.services.stored_files import read_table
from bert_training.tasks.intake import CheckRequest, Report, check_in_sandbox
from tests.workbooks import workbook_of

pytestmark = pytest.mark.usefixtures("checked_here")

LEAVE_OUT = ["leave_out_bad_rows"]
BAD_ROWS = workbook_of(
    [("pedido", "setor"), *((f"texto {row}", "ab"[row % 2]) for row in range(10)), ("", "a"), ("sem setor", "")]
)
REQUEST = CheckRequest(task="text-classification", columns={"text": "pedido", "label": "setor"})


def register(owner: User, *, request: CheckRequest = REQUEST) -> Dataset:
    file = SimpleUploadedFile("dados.xlsx", BAD_ROWS)
    return register_upload(owner=owner, uploads={Split.TRAIN: file}, request=request, name="Petições").dataset


@pytest.fixture
def refused(ana: User, settings: Settings) -> Dataset:
    """A dataset of ana's with two bad rows, refused in the background."""
    settings.BACKGROUND_CHECK_BYTES = 10
    dataset = register(ana)
    check_dataset(dataset.pk)
    settings.BACKGROUND_CHECK_BYTES = 10_000_000
    dataset.refresh_from_db()
    assert dataset.status == "refused"
    return dataset


def test_a_refused_dataset_is_repaired_without_its_file_in_the_hand(refused: Dataset, ana: User) -> None:
    repaired = repair_dataset(refused, LEAVE_OUT, owner=ana)
    dataset = Dataset.objects.get(pk=repaired.dataset.pk)
    assert (repaired.created, dataset.status, dataset.rows) == (True, "ready", 10)
    assert (dataset.recipe, dataset.derived_from, dataset.name) == (LEAVE_OUT, refused, "Petições")
    assert dataset.columns == {"text": "pedido", "label": "setor"}
    assert dataset.sha256 == refused.sha256
    assert read_table(dataset)["row"] == list(range(2, 12))
    refused.refresh_from_db()
    assert refused.status == "refused"


def test_the_same_file_and_recipe_give_the_same_table(refused: Dataset, ana: User, carla: User) -> None:
    """Replayed by somebody else, on the file itself."""
    repaired = repair_dataset(refused, LEAVE_OUT, owner=ana).dataset
    request = CheckRequest(task=REQUEST.task, columns=REQUEST.columns, recipe=LEAVE_OUT)
    replayed = register(carla, request=request)
    assert replayed.pk != repaired.pk
    assert replayed.table_sha256 == repaired.table_sha256 != ""


def test_the_same_repair_twice_is_one_dataset(refused: Dataset, ana: User) -> None:
    first, second = (repair_dataset(refused, LEAVE_OUT, owner=ana) for _time in range(2))
    assert (first.created, second.created, second.dataset) == (True, False, first.dataset)


def test_a_dataset_may_be_deleted_while_it_is_repaired(
    refused: Dataset, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_slowly(*arguments: Any, **options: Any) -> Report:
        delete_dataset(Dataset.objects.get(pk=refused.pk))
        return check_in_sandbox(*arguments, **options)

    monkeypatch.setattr("bert_training.services.datasets.check_in_sandbox", check_slowly)
    repaired = repair_dataset(refused, LEAVE_OUT, owner=ana).dataset
    connection.check_constraints()
    repaired.refresh_from_db()
    assert (repaired.status, repaired.derived_from) == ("ready", None)


def test_repairs_are_added_to_those_done_before(refused: Dataset, ana: User) -> None:
    once = repair_dataset(refused, LEAVE_OUT, owner=ana).dataset
    twice = repair_dataset(once, ["unify_labels"], owner=ana).dataset
    assert twice.recipe == ["leave_out_bad_rows", "unify_labels"]
    assert twice.derived_from == once


def test_what_cannot_be_repaired_so_is_refused_with_its_reasons(refused: Dataset, ana: User) -> None:
    with pytest.raises(DatasetInvalid) as refusal:
        repair_dataset(refused, ["unify_labels"], owner=ana)
    assert refusal.value.report.groups
    assert Dataset.objects.count() == 1


def test_a_dataset_that_is_being_checked_waits(refused: Dataset, ana: User) -> None:
    refused.status = "checking"
    with pytest.raises(DatasetNotReady):
        repair_dataset(refused, LEAVE_OUT, owner=ana)


def test_a_dataset_whose_file_was_lost_cannot_be_repaired(refused: Dataset, ana: User) -> None:
    default_storage.delete(refused.original_key)
    with pytest.raises(DatasetGone):
        repair_dataset(refused, LEAVE_OUT, owner=ana)
    assert Dataset.objects.count() == 1


def test_a_repair_that_does_not_exist_is_named_with_those_that_do(refused: Dataset, ana: User) -> None:
    with pytest.raises(ServiceError, match="unify_labels"):
        repair_dataset(refused, ["tidy_up"], owner=ana)


def test_a_dataset_outlives_the_one_it_was_made_of(refused: Dataset, ana: User) -> None:
    repaired = repair_dataset(refused, LEAVE_OUT, owner=ana).dataset
    refused.delete()
    repaired.refresh_from_db()
    assert repaired.derived_from is None


@pytest.mark.parametrize("is_large", [False, True])
def test_a_repaired_dataset_keeps_the_manifest_for_the_rows_that_are_left(
    ana: User, settings: Settings, *, is_large: bool
) -> None:
    rows = [("texto", "label"), *((f"texto {row}", "ab"[row % 2]) for row in range(10)), ("texto 1", "b")]
    file = SimpleUploadedFile("dados.xlsx", workbook_of(rows))
    request = CheckRequest(task="text-classification")
    dataset = register_upload(owner=ana, uploads={Split.TRAIN: file}, request=request).dataset
    DatasetManifest.objects.create(dataset=dataset, letters=pack_letters("tttttvveeee"), original_name="minha.csv")
    settings.BACKGROUND_CHECK_BYTES = 10 if is_large else 10_000_000
    repaired = repair_dataset(dataset, ["leave_out_duplicates"], owner=ana).dataset
    if is_large:
        check_dataset(repaired.pk)
    manifest = DatasetManifest.objects.get(dataset=repaired)
    assert (unpack_letters(manifest.letters), manifest.original_name) == ("tttttvveee", "minha.csv")
