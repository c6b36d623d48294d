"""Taking findings home: from the upload page before anything is stored, from the page of a dataset afterwards."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_q.models import OrmQ
from openpyxl import load_workbook
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from bert_training import background
from bert_training.contract.enums import WorkbookKind
from bert_training.data.writing.workbook import write_workbook
from bert_training.models import Dataset, DatasetProfile
from bert_training.services.datasets import delete_dataset
from tests.checking import make_workbooks_here
from tests.personas import ready_dataset

TEXTS = [(f"O autor {at} pede o que consta.", "ab"[at % 2]) for at in range(8)]
BAD = write_workbook(["texto", "label"], [*TEXTS, ("=SOMA(A1)&<b>", "")], title="Dados")
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ADDED = ["Portal: problems", "Portal: repair", "Portal: repeats row", "Portal: group of similar texts", "bert_row_id"]


@pytest.fixture(autouse=True)
def _make_workbooks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    make_workbooks_here(monkeypatch)


@pytest.fixture
def large(ana: User, settings: Settings) -> Dataset:
    """A dataset so large that nobody waits for its workbooks."""
    dataset = ready_dataset(ana)
    settings.BACKGROUND_CHECK_BYTES = dataset.bytes - 1
    return dataset


def send(client: Client, action: str, content: bytes = BAD, name: str = "pedidos.xlsx") -> Any:
    return client.post("/datasets/new", {"file": SimpleUploadedFile(name, content), "action": action})


def rows_of(response: Any) -> list[list[Any]]:
    """Open what was sent, as an attachment that no browser opens."""
    assert response.status_code == 200
    assert response.headers["Content-Type"] == EXCEL
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"] == "sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    sheet: Any = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def run_background_work() -> None:
    """Do what django-q2 would."""
    for task in [entry.task for entry in OrmQ.objects.all()]:
        if task["func"] == "bert_training.background.make_workbook":
            background.make_workbook(*task["args"])
    OrmQ.objects.all().delete()


def test_the_problems_of_a_file_that_is_not_stored_come_as_a_spreadsheet(as_ana: Client) -> None:
    response = send(as_ana, "problems")
    header, *rows = rows_of(response)
    assert header[:4] == ["File", "Sheet", "Cell", "Row"]
    wrong = next(row for row in rows if row[2] == "B10")
    assert (wrong[0], wrong[1], wrong[3], wrong[4], wrong[-1]) == ("pedidos.xlsx", "Dados", "10", "label", "error")
    assert wrong[6] == "The cell is empty."
    assert 'filename="pedidos - problems.xlsx"' in response.headers["Content-Disposition"]
    assert not Dataset.objects.exists()


def test_ones_own_file_comes_back_with_what_was_found(as_ana: Client) -> None:
    header, *rows = rows_of(send(as_ana, "workbook"))
    assert header == ["texto", "label", *ADDED]
    assert rows[8][0] == "=SOMA(A1)&<b>"
    assert rows[8][2] == "B10: The cell is empty."
    assert rows[0][2] is None
    assert not Dataset.objects.exists()


def test_a_file_that_nobody_can_read_says_why_on_the_form(as_ana: Client) -> None:
    response = send(as_ana, "workbook", b"MZ\x90 no spreadsheet")
    assert response.status_code == 422
    assert "whatever its name says" in response.content.decode()


@pytest.mark.parametrize("name", ["../../a\n.xlsx", 'a"b.xlsx', "ação \u202excod.xlsx", ""])
def test_a_strange_name_makes_no_strange_header(as_ana: Client, name: str) -> None:
    response = send(as_ana, "problems", name=name or "x")
    assert "\n" not in response.headers.get("Content-Disposition", "")


def test_a_report_on_the_form_offers_both_workbooks(as_ana: Client) -> None:
    content = send(as_ana, "check").content.decode()
    assert 'form="upload-form" name="action" value="workbook"' in content
    assert 'form="upload-form" name="action" value="problems"' in content


@pytest.mark.parametrize(("path", "shown"), [("problems", "What is wrong"), ("workbook", "bert_row_id")])
def test_the_page_of_a_dataset_offers_what_can_be_downloaded(
    as_ana: Client, dataset: Dataset, path: str, shown: str
) -> None:
    assert f'href="/datasets/{dataset.pk}/{path}"' in as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    assert shown in rows_of(as_ana.get(f"/datasets/{dataset.pk}/{path}"))[0]


def test_a_stranger_gets_no_workbook(as_carla: Client, as_root: Client, dataset: Dataset) -> None:
    for path in ("problems", "workbook"):
        assert as_carla.get(f"/datasets/{dataset.pk}/{path}").status_code == 404
    assert as_root.get(f"/datasets/{dataset.pk}/problems").status_code == 200


def test_a_lost_file_is_said_on_the_page(as_ana: Client, dataset: Dataset) -> None:
    default_storage.delete(dataset.original_key)
    assert "is missing" in as_ana.get(f"/datasets/{dataset.pk}/workbook", follow=True).content.decode()


def test_the_workbook_of_a_large_dataset_is_made_while_its_page_shows_so(as_ana: Client, large: Dataset) -> None:
    page = as_ana.get(f"/datasets/{large.pk}/workbook", follow=True).content.decode()
    assert "its workbook is being made" in page
    assert 'data-refresh-seconds="3"' in page
    as_ana.get(f"/datasets/{large.pk}/workbook")
    assert OrmQ.objects.count() == 1  # asked for twice, made once
    run_background_work()
    assert 'data-refresh-seconds="3"' not in as_ana.get(f"/datasets/{large.pk}").content.decode()
    assert rows_of(as_ana.get(f"/datasets/{large.pk}/workbook"))[0][2:] == ADDED


def test_why_a_large_dataset_has_no_workbook_is_said_and_it_can_be_asked_for_again(
    as_ana: Client, large: Dataset
) -> None:
    original = large.original_key
    as_ana.get(f"/datasets/{large.pk}/workbook")
    default_storage.delete(original)
    run_background_work()
    assert "is missing" in as_ana.get(f"/datasets/{large.pk}/workbook", follow=True).content.decode()
    as_ana.get(f"/datasets/{large.pk}/workbook")
    assert OrmQ.objects.count() == 1


def test_a_large_dataset_takes_its_workbooks_with_it(
    as_ana: Client, large: Dataset, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    as_ana.get(f"/datasets/{large.pk}/workbook")
    run_background_work()
    assert default_storage.exists(large.workbook_key(WorkbookKind.FINDINGS, "en"))
    with django_capture_on_commit_callbacks(execute=True):
        delete_dataset(large)
    run_background_work()  # a task that comes too late makes nothing
    assert not any(default_storage.exists(key) for key in large.workbook_keys)


def test_the_page_says_which_dataset_is_continued_and_what_changed(
    as_ana: Client, as_root: Client, ana: User, root: User
) -> None:
    first = ready_dataset(ana, name="Versão 1")
    counts = {"text_changed": 12, "answer_changed": 1, "deleted": 0, "added": 1234}
    for owner in (ana, root):
        second = ready_dataset(owner, request_digest="2", summary={"labels": {}, "continues": first.sha256[:12]})
        content = {"continues": {"dataset": first.pk, **counts}}
        DatasetProfile.objects.update_or_create(dataset=second, defaults={"content": content})
    said = as_ana.get(f"/datasets/{Dataset.objects.get(owner=ana, request_digest='2').pk}").content.decode()
    assert f'Continues <a href="/datasets/{first.pk}">Versão 1</a>' in said
    assert "12 texts changed, 1 answer changed, 1,234 rows added." in said
    delete_dataset(first)
    assert "Continues" not in as_root.get(f"/datasets/{second.pk}").content.decode()
