"""Sending a spreadsheet: check it, save it, see what to repair."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bert_training.models import Dataset
from tests.pages.test_datasets import CANARY
from tests.workbooks import workbook_bytes, workbook_of

GOOD = workbook_bytes("text-classification")
ROWS = [(f"texto número {number}", "ab"[number % 2]) for number in range(12)]


def send(client: Client, content: bytes, *, action: str = "send", task: str = "", **fields: str) -> Any:
    """Send the form as a browser does."""
    file = SimpleUploadedFile("dados.xlsx", content)
    return client.post(f"/datasets/new?task={task}", {"file": file, "action": action, **fields})


def test_the_page_shows_what_the_sheet_must_look_like(as_ana: Client) -> None:
    content = as_ana.get("/datasets/new?task=token-classification").content.decode()
    assert "<code>tokens</code>" in content
    assert "/datasets/sample/token-classification" in content


def test_an_unknown_task_in_the_address_shows_the_first_one(as_ana: Client) -> None:
    assert "<code>texto</code>" in as_ana.get("/datasets/new?task=no-such").content.decode()


def test_a_check_shows_labels_and_rows_and_keeps_nothing(as_ana: Client) -> None:
    content = send(as_ana, GOOD, action="check").content.decode()
    assert "The spreadsheet is fine." in content
    assert "12 rows can be used." in content
    assert "O autor 0 pede" in content
    assert "Nothing was saved yet" in content
    assert not Dataset.objects.exists()


def test_a_good_sheet_is_saved_and_its_page_opens(as_ana: Client) -> None:
    response = send(as_ana, GOOD, name="Petições")
    dataset = Dataset.objects.get()
    assert response.headers["Location"] == f"/datasets/{dataset.pk}"
    assert (dataset.name, dataset.status, dataset.owner.username) == ("Petições", "ready", "ana")


def test_without_a_name_the_file_gives_it(as_ana: Client) -> None:
    send(as_ana, GOOD)
    assert Dataset.objects.get().name == "dados"


def test_the_same_sheet_twice_is_one_dataset_and_says_so(as_ana: Client) -> None:
    send(as_ana, GOOD)
    response = as_ana.post("/datasets/new", {"file": SimpleUploadedFile("x.xlsx", GOOD), "action": "send"}, follow=True)
    assert "was here already" in response.content.decode()
    assert Dataset.objects.count() == 1


def test_what_is_wrong_is_named_by_cell_and_nothing_is_saved(as_ana: Client) -> None:
    bad = workbook_of([("texto", "label"), *ROWS, ("sem rótulo", "")])
    response = send(as_ana, bad)
    assert response.status_code == 422
    assert "cell B14" in response.content.decode()
    assert not Dataset.objects.exists()


def test_a_check_that_finds_errors_has_done_its_work(as_ana: Client) -> None:
    response = send(as_ana, b"not a spreadsheet at all", action="check")
    assert response.status_code == 200
    assert "1 thing must be repaired first." in response.content.decode()


def test_a_missing_column_is_named_with_those_found_and_the_form_offers_them(as_ana: Client) -> None:
    content = send(as_ana, workbook_of([("frases", "nota"), *ROWS])).content.decode()
    assert '<option value="frases" selected>frases (suggested)</option>' in content
    assert '<option value="nota" selected>nota (suggested)</option>' in content
    assert '<details id="upload-mapping" open>' in content
    assert "<td>texto número 0</td>" in content


def test_columns_with_other_names_can_be_named(as_ana: Client) -> None:
    sheet = workbook_of([("frases", "nota"), *ROWS])
    assert send(as_ana, sheet, column_text="frases", column_label="nota").status_code == 302
    assert Dataset.objects.get().columns == {"text": "frases", "label": "nota"}


@pytest.mark.parametrize("content", [b"", None])
def test_without_a_file_the_form_says_so(as_ana: Client, content: bytes | None) -> None:
    fields = {"action": "send"} | ({} if content is None else {"file": SimpleUploadedFile("a.xlsx", content)})
    response = as_ana.post("/datasets/new", fields)
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()


def test_markup_in_cells_is_shown_as_text(as_ana: Client) -> None:
    sheet = workbook_of([("texto", "label"), *ROWS, *[(CANARY, CANARY)] * 3])
    content = send(as_ana, sheet, action="check").content.decode()
    assert CANARY not in content
    assert "&lt;img src=x onerror=alert(1)&gt;" in content


def test_markup_in_column_names_is_shown_as_text(as_ana: Client) -> None:
    content = send(as_ana, workbook_of([(CANARY, "nota"), *ROWS]), action="check").content.decode()
    assert CANARY not in content
    assert "&lt;img src=x onerror=alert(1)&gt;" in content
