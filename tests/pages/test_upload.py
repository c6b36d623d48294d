"""Sending a spreadsheet: check it, save it, see what to repair."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from bert_training.models import Dataset
from bert_training.services.stored_files import read_table
from tests.pages.test_datasets import CANARY
from tests.shared_data import shared_data
from tests.workbooks import workbook_bytes, workbook_of

GOOD = workbook_bytes("text-classification")
ROWS = [(f"texto número {number}", "ab"[number % 2]) for number in range(12)]


LEAVE_OUT = ["leave_out_bad_rows", "leave_out_rare_classes"]


def send(
    client: Client,
    content: bytes,
    *,
    action: str = "send",
    task: str = "",
    file_name: str = "dados.xlsx",
    **fields: Any,
) -> Any:
    """Send the form as a browser does."""
    file = SimpleUploadedFile(file_name, content)
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


def test_a_script_is_told_where_the_dataset_is_and_its_page_says_that_it_was_saved(as_ana: Client) -> None:
    headers = {"X-Requested-With": "fetch"}
    good = SimpleUploadedFile("d.xlsx", GOOD)
    response = as_ana.post("/datasets/new", {"file": good, "action": "send"}, headers=headers)
    assert (response.status_code, response.content) == (201, b"")
    assert "The spreadsheet was saved." in as_ana.get(response.headers["Location"]).content.decode()
    bad = SimpleUploadedFile("d.xlsx", b"")
    response = as_ana.post("/datasets/new", {"file": bad, "action": "send"}, headers=headers)
    assert (response.status_code, "The file is empty." in response.content.decode()) == (200, True)


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


def test_a_file_that_cannot_be_read_is_not_offered_back_as_a_workbook(as_ana: Client) -> None:
    assert 'value="workbook"' not in send(as_ana, b"not a spreadsheet at all", action="check").content.decode()
    assert 'value="workbook"' in send(as_ana, workbook_of([("frases", "nota"), *ROWS])).content.decode()


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


def test_a_title_above_the_header_is_chosen_as_no_column_so_that_the_repair_can_find_the_header(as_ana: Client) -> None:
    rows = [(f"O autor pede que o réu {row} pague o que deve desde o ano passado.", "ab"[row % 2]) for row in range(12)]
    sheet = workbook_of([("Relatório",), (), ("texto", "label"), *rows])
    content = send(as_ana, sheet, action="check").content.decode()
    assert "Relatório (suggested)" in content
    assert 'value="Relatório" selected' not in content
    assert 'value="find_header"' in content
    assert send(as_ana, sheet, recipe="find_header").status_code == 302


def test_columns_with_other_names_can_be_named(as_ana: Client) -> None:
    sheet = workbook_of([("frases", "nota"), *ROWS])
    assert send(as_ana, sheet, column_text="frases", column_label="nota").status_code == 302
    assert Dataset.objects.get().columns == {"text": "frases", "label": "nota"}


def test_columns_are_joined_in_the_order_in_which_they_were_chosen(as_ana: Client) -> None:
    sheet = workbook_of([("título", "pedido", "setor"), *((f"Caso {row}", *cells) for row, cells in enumerate(ROWS))])
    send(as_ana, sheet, column_text=["pedido", "", "título"], column_label="setor")
    dataset = Dataset.objects.get()
    assert dataset.columns["text"] == "pedido + título"
    assert read_table(dataset)["text"][0] == "texto número 0\nCaso 0"


def test_a_group_column_is_asked_for_and_kept(as_ana: Client) -> None:
    sheet = workbook_of([("texto", "label", "autos"), *((*cells, row // 2) for row, cells in enumerate(ROWS))])
    content = send(as_ana, sheet, action="check").content.decode()
    assert '<option value="">texto (found by its name)</option>' in content
    assert '<option value="autos">autos (suggested)</option>' in content  # suggested, not chosen
    page = as_ana.get(send(as_ana, sheet, column_group="autos").headers["Location"])
    assert read_table(Dataset.objects.get())["group"][:3] == ["0", "0", "1"]
    assert "texto número 0" in page.content.decode()


def test_what_was_chosen_before_stays_chosen(as_ana: Client) -> None:
    sheet = workbook_of([("frases", "nota", "outra"), *((*cells, "x") for cells in ROWS)])
    content = send(as_ana, sheet, action="check", column_text="outra", sheet="Dados", recipe="unify_labels").content
    assert '<option value="outra" selected>' in content.decode()
    assert '<option value="Dados" selected>' in content.decode()
    assert re.search(r'value="unify_labels"[^>]* checked', content.decode())


def test_a_header_too_long_for_the_form_is_not_offered(as_ana: Client) -> None:
    sheet = workbook_of([("frases" * 1000, "nota", "pedido"), *((cells[0], cells[1], cells[0]) for cells in ROWS)])
    content = send(as_ana, sheet, action="check").content.decode()
    assert '<option value="pedido"' in content
    assert "frases" * 51 not in content


def test_columns_of_another_sheet_give_way_to_those_of_this_one(as_ana: Client) -> None:
    sheet = workbook_of([("Frases", "nota"), *ROWS])
    content = send(as_ana, sheet, action="check", column_text="frases", column_label="coluna da outra aba").content
    assert '<option value="Frases" selected>' in content.decode()
    assert '<option value="nota" selected>' in content.decode()
    assert 'value="coluna da outra aba"' not in content.decode()


def test_repairs_stay_chosen_where_the_form_itself_is_wrong(as_ana: Client) -> None:
    response = as_ana.post("/datasets/new", {"recipe": "unify_labels", "action": "check"})
    assert response.status_code == 422
    assert re.search(r'value="unify_labels"[^>]* checked', response.content.decode())


def test_too_many_or_impossible_columns_mark_the_field(as_ana: Client) -> None:
    for headers in (["a"] * 21, ["x" * 301], ["a\x00b"]):
        response = send(as_ana, GOOD, column_text=headers)
        assert response.status_code == 422
        assert "errorlist" in response.content.decode()


BAD_ROWS = workbook_of([("texto", "label"), *ROWS, *[("", "a")] * 60, ("sem rótulo", "")])


def test_problems_stand_in_groups_with_count_cells_and_repairs(as_ana: Client) -> None:
    content = send(as_ana, BAD_ROWS, action="check").content.decode()
    assert "61 things must be repaired first." in content
    assert "61 times" in content
    assert "cell A14, cell A15, cell A16" in content
    assert "The first 50; the rest stands in the list of problems." in content
    assert "Leave out the rows that have an error (61)" in content


def test_a_chosen_repair_is_done_stated_and_can_be_undone(as_ana: Client) -> None:
    repaired = send(as_ana, BAD_ROWS, action="check", recipe="leave_out_bad_rows").content.decode()
    assert "The spreadsheet is fine." in repaired
    assert "12 rows can be used." in repaired
    assert re.search(r'value="leave_out_bad_rows"[^>]* checked', repaired)
    assert "must be repaired first." in send(as_ana, BAD_ROWS, action="check").content.decode()
    send(as_ana, BAD_ROWS, recipe="leave_out_bad_rows")
    assert Dataset.objects.get().recipe == ["leave_out_bad_rows"]


def test_a_repair_that_does_not_exist_is_refused(as_ana: Client) -> None:
    assert send(as_ana, GOOD, recipe="tidy_up").status_code == 422


def test_own_files_for_validation_and_test_are_sent_with_the_spreadsheet(as_ana: Client) -> None:
    files = {
        name: SimpleUploadedFile(f"{name}.xlsx", workbook_bytes("text-classification", salt=name)) for name in "vt"
    }
    send(as_ana, GOOD, validation_file=files["v"], test_file=files["t"])
    assert Dataset.objects.get().rows == 36


def test_a_cell_of_the_test_file_is_named_with_its_file(as_ana: Client) -> None:
    bad = SimpleUploadedFile("teste.xlsx", workbook_of([("texto", "label"), ("", "a")]))
    assert "test file, cell A2" in send(as_ana, GOOD, action="check", test_file=bad).content.decode()


def test_without_scripts_the_page_asks_for_the_file_again(as_ana: Client) -> None:
    assert "<noscript>" in send(as_ana, BAD_ROWS, action="check").content.decode()
    assert "<noscript>" not in as_ana.get("/datasets/new").content.decode()


def test_a_full_quota_is_said_on_the_form(as_ana: Client, dataset: Dataset, settings: Settings) -> None:
    settings.DATASETS_PER_USER = 1
    response = send(as_ana, GOOD, name="Meus textos")
    assert response.status_code == 429
    assert "ana may keep 1 datasets and has 1." in response.content.decode()
    assert "marked in red" not in response.content.decode()
    assert 'value="Meus textos"' in response.content.decode()


def test_checks_and_uploads_are_limited_apart(as_ana: Client, settings: Settings) -> None:
    settings.CHECKS_PER_HOUR, settings.UPLOADS_PER_HOUR = 3, 1
    assert send(as_ana, GOOD).status_code == 302
    other = workbook_bytes("text-classification", salt="other")
    response = send(as_ana, other)
    assert (response.status_code, "At most 1 spreadsheets may be saved" in response.content.decode()) == (429, True)
    assert int(response.headers["Retry-After"]) > 3500
    assert send(as_ana, GOOD).status_code == 302  # what is there already is not stored again
    response = send(as_ana, BAD_ROWS, action="check")
    assert (response.status_code, "At most 3 spreadsheets may be checked" in response.content.decode()) == (429, True)


@pytest.mark.parametrize(
    ("name", "label", "first"),
    [
        ("text_cls/b2w_10k_original_columns.csv", "overall_rating", "review_text"),
        ("text_cls/b2w_3k_original_columns.xlsx", "recommend_to_a_friend", "review_text"),
    ],
)
def test_real_files_with_their_own_columns_are_mapped(as_ana: Client, name: str, label: str, first: str) -> None:
    path = shared_data(name)
    sent: dict[str, Any] = {"content": path.read_bytes(), "file_name": path.name}
    content = send(as_ana, action="check", **sent).content.decode()
    assert f'<option value="{first}" selected>' in content
    assert f'<option value="{label}">{label} (suggested)</option>' in content
    mapped = send(
        as_ana, action="check", column_text=["review_title", first], column_label=label, recipe=LEAVE_OUT, **sent
    )
    assert "The spreadsheet is fine." in mapped.content.decode()


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
