"""Uploads: checked before they are kept, stored once per owner, nothing half-saved; large ones in the background."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from bert_training.background import check_dataset
from bert_training.contract.enums import Split
from bert_training.models import Dataset
from bert_training.services import datasets, stored_check
from bert_training.services.datasets import (
    DatasetInvalid,
    Registered,
    check_upload,
    delete_dataset,
    register_upload,
)
from bert_training.services.errors import DatasetGone, ServiceError, StorageFull
from bert_training.services.stored_check import CHECK_ATTEMPTS
from bert_training.services.stored_files import preview_rows, read_table
from bert_training.tasks.intake import CheckRequest, Report, check_files, check_in_sandbox
from tests.personas import make_dataset
from tests.workbooks import workbook_bytes, workbook_of

STORE: Any = storages["default"].__class__  # the real store, S3 or files
TEXT = CheckRequest(task="text-classification")


def upload(content: bytes, name: str = "dados.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def register(owner: User, content: bytes, *, request: CheckRequest = TEXT, name: str = "dados.xlsx") -> Registered:
    return register_upload(owner=owner, uploads={Split.TRAIN: upload(content, name)}, request=request)


@pytest.fixture
def kept_files(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The files that this test has stored and not deleted again; the store itself is the real one."""
    kept: set[str] = set()
    save, delete = STORE.save, STORE.delete

    def note_save(store: Any, key: str, content: Any) -> str:
        kept.add(key)
        return str(save(store, key, content))

    def note_delete(store: Any, key: str) -> None:
        delete(store, key)
        kept.discard(key)

    monkeypatch.setattr(STORE, "save", note_save)
    monkeypatch.setattr(STORE, "delete", note_delete)
    return kept


def test_a_valid_spreadsheet_is_stored_with_its_table(dataset: Dataset) -> None:
    assert (dataset.status, dataset.rows) == ("ready", 12)
    assert dataset.summary["labels"] == {"cobrança": 4, "indenização": 4, "saúde": 4}
    with default_storage.open(dataset.original_key) as original:
        assert len(original.read()) == dataset.bytes
    assert read_table(dataset)["label"][:3] == ["cobrança", "indenização", "saúde"]


def test_the_preview_names_the_rows_of_the_spreadsheet(dataset: Dataset) -> None:
    first = preview_rows(dataset, limit=2)
    assert [row["row"] for row in first] == [2, 3]


def test_checking_keeps_nothing(ana: User, kept_files: set[str]) -> None:
    assert check_upload({Split.TRAIN: upload(workbook_bytes("text-classification"))}, TEXT).valid
    assert not Dataset.objects.exists()
    assert not kept_files


BAD = {
    "wrong columns": workbook_of([("foo", "bar"), ("a", "b")]),
    "empty file": b"",
    "one class": workbook_of([("texto", "label"), *[(f"texto {number}", "a") for number in range(9)]]),
    "header only": workbook_of([("texto", "label")]),
    "not a spreadsheet": b"%PDF-1.7 nothing here",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_bad_spreadsheet_is_refused_and_nothing_is_kept(ana: User, content: bytes, kept_files: set[str]) -> None:
    with pytest.raises(DatasetInvalid) as refusal:
        register(ana, content)
    assert refusal.value.report.errors
    assert not Dataset.objects.exists()
    assert not kept_files


def test_the_same_file_again_is_the_same_dataset(ana: User) -> None:
    content = workbook_bytes("text-classification")
    first, second = register(ana, content), register(ana, content)
    assert (first.created, second.created) == (True, False)
    assert first.dataset == second.dataset


def test_the_same_file_of_another_user_is_an_own_dataset(ana: User, carla: User) -> None:
    content = workbook_bytes("text-classification")
    first, second = register(ana, content), register(carla, content)
    assert second.created
    assert first.dataset.uuid != second.dataset.uuid


def test_a_parallel_upload_that_came_second_leaves_no_file(
    ana: User, monkeypatch: pytest.MonkeyPatch, kept_files: set[str]
) -> None:
    content = workbook_bytes("text-classification")
    first = register(ana, content)
    looks = iter([None])  # both looked before either had stored; later looks find what there is
    look = datasets._same
    monkeypatch.setattr(datasets, "_same", lambda *arguments: next(looks, look(*arguments)))
    second = register(ana, content)
    assert (second.created, second.dataset) == (False, first.dataset)
    assert kept_files == {first.dataset.original_key, first.dataset.table_key}


def test_a_full_disk_leaves_neither_row_nor_file(
    ana: User, monkeypatch: pytest.MonkeyPatch, kept_files: set[str]
) -> None:
    save = STORE.save

    def fail_on_table(store: Any, key: str, content: Any) -> str:
        if key.endswith("table.parquet"):
            raise OSError(28, "No space left on device")
        return str(save(store, key, content))

    monkeypatch.setattr(STORE, "save", fail_on_table)
    with pytest.raises(StorageFull):
        register(ana, workbook_bytes("text-classification"))
    assert not Dataset.objects.exists()
    assert not kept_files


def test_a_file_name_is_only_a_name(ana: User) -> None:
    dataset = register(ana, workbook_bytes("text-classification"), name="../../etc/pass\x00wd.xlsx").dataset
    assert dataset.original_name == "passwd.xlsx"
    assert "/etc/" not in dataset.original_key


def test_what_the_store_lost_is_put_back_by_the_same_upload(ana: User) -> None:
    content = workbook_bytes("text-classification")
    dataset = register(ana, content).dataset
    default_storage.delete(dataset.original_key)
    default_storage.delete(dataset.table_key)
    again = register(ana, content)
    assert (again.created, again.dataset) == (False, dataset)
    assert read_table(dataset)["row"][0] == 2
    assert default_storage.exists(dataset.original_key)


def test_deleting_removes_the_files(
    dataset: Dataset, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        delete_dataset(dataset)
    assert not default_storage.exists(dataset.original_key)
    assert not default_storage.exists(dataset.table_key)


def test_a_missing_file_is_said_to_be_gone(dataset: Dataset) -> None:
    default_storage.delete(dataset.table_key)
    with pytest.raises(DatasetGone):
        read_table(dataset)


def test_an_unknown_task_is_refused(ana: User) -> None:
    with pytest.raises(ServiceError, match="text-classification"):
        register(ana, b"x", request=CheckRequest(task="nonsense"))


@pytest.fixture
def large(ana: User, settings: Settings) -> Callable[[bytes], Dataset]:
    """Register an upload as if it were larger than what a request may check."""
    settings.BACKGROUND_CHECK_BYTES = 10
    return lambda content: register(ana, content).dataset


def test_a_large_upload_is_checked_in_the_background(large: Callable[[bytes], Dataset]) -> None:
    dataset = large(workbook_bytes("text-classification"))
    assert (dataset.status, OrmQ.objects.count()) == ("checking", 1)
    check_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.rows, dataset.progress) == ("ready", 12, 100)
    assert read_table(dataset)["row"][0] == 2


def test_the_progress_of_a_check_in_the_background_rises_as_it_goes(
    large: Callable[[bytes], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = large(workbook_bytes("text-classification"))
    seen: list[int] = []

    def check_slowly(*files: Any, on_progress: Callable[[int], None], **wanted: Any) -> Report:
        for percent in (0, 60, 40, 90):
            on_progress(percent)
            seen.append(Dataset.objects.get(pk=dataset.pk).progress)
        return check_files(*files, table_path=wanted["table_path"])

    monkeypatch.setattr(stored_check, "NOTE_SECONDS", 0.0)
    monkeypatch.setattr(stored_check, "check_in_sandbox", check_slowly)
    check_dataset(dataset.pk)
    assert seen == [5, 56, 56, 81]
    assert Dataset.objects.get(pk=dataset.pk).progress == 100


def test_progress_is_not_written_at_every_step(dataset: Dataset, django_assert_num_queries: Any) -> None:
    progress = stored_check._Progress(dataset.pk)
    with django_assert_num_queries(1):
        for percent in range(50):
            progress.note(percent)


def test_a_large_upload_that_is_bad_is_refused_with_its_reasons(large: Callable[[bytes], Dataset]) -> None:
    dataset = large(BAD["wrong columns"])
    check_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert dataset.status == "refused"
    assert dataset.report["errors"][0]["code"] == "missing_column"


def test_a_check_that_is_done_is_not_done_again(large: Callable[[bytes], Dataset]) -> None:
    dataset = large(workbook_bytes("text-classification"))
    check_dataset(dataset.pk)
    check_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert dataset.check_attempts == 1


def test_a_dataset_deleted_while_it_is_checked_stays_deleted(
    large: Callable[[bytes], Dataset], monkeypatch: pytest.MonkeyPatch, kept_files: set[str]
) -> None:
    dataset = large(workbook_bytes("text-classification"))

    def delete_meanwhile(*files: Any, **wanted: Any) -> Report:
        Dataset.objects.all().delete()
        return check_in_sandbox(*files, **wanted)

    monkeypatch.setattr(stored_check, "check_in_sandbox", delete_meanwhile)
    check_dataset(dataset.pk)
    assert not Dataset.objects.exists()
    assert dataset.table_key not in kept_files


def test_a_name_given_during_the_check_is_kept(
    large: Callable[[bytes], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = large(workbook_bytes("text-classification"))

    def rename_meanwhile(*files: Any, **wanted: Any) -> Report:
        Dataset.objects.update(name="Outro nome")
        return check_in_sandbox(*files, **wanted)

    monkeypatch.setattr(stored_check, "check_in_sandbox", rename_meanwhile)
    check_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert (dataset.name, dataset.status) == ("Outro nome", "ready")


def test_a_check_that_keeps_dying_is_given_up(large: Callable[[bytes], Dataset]) -> None:
    dataset = large(workbook_bytes("text-classification"))
    Dataset.objects.update(check_attempts=CHECK_ATTEMPTS)
    check_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.report["errors"][0]["code"]) == ("refused", "check_failed")


def test_a_check_that_fails_by_our_own_fault_says_so(large: Callable[[bytes], Dataset]) -> None:
    dataset = large(workbook_bytes("text-classification"))
    default_storage.delete(dataset.original_key)
    check_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.report["errors"][0]["code"]) == ("refused", "check_failed")


def test_a_check_waits_for_a_store_that_is_away(
    large: Callable[[bytes], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = large(workbook_bytes("text-classification"))
    with monkeypatch.context() as away:
        away.setattr(default_storage, "open", Mock(side_effect=OSError("input/output error")))
        check_dataset(dataset.pk)
    dataset.refresh_from_db()
    planned = Schedule.objects.get(func="bert_training.background.check_dataset")
    assert (dataset.status, dataset.check_attempts) == ("checking", 0)
    assert planned.next_run > timezone.now()
    check_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert dataset.status == "ready"


def test_both_tasks_are_read(ana: User) -> None:
    tokens = make_dataset(ana, task="token-classification")
    assert tokens.summary["labels"] == {"LOCAL": 12, "PESSOA": 12}
