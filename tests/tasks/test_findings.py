"""Findings beside rows: what a user sends back unchanged is judged as it was, and notes find their rows."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bert_training.data.parquet import read_table
from bert_training.tasks.findings import Notes, number_groups, write_findings
from bert_training.tasks.intake import CheckRequest
from tests.checking import TEXT, TOKEN, check_file
from tests.shared_data import shared_data
from tests.workbooks import workbook_bytes, workbook_of

HEADERS = ("Portal: problems", "Portal: repair", "Portal: repeats row", "Portal: similar texts")
TITLE = [("Relatório de pedidos", ""), ("texto", "label"), *((f"pedido {at}", "ab"[at % 2]) for at in range(6))]


def write(path: Path, request: CheckRequest, notes: Notes | None = None) -> Path:
    """Write the findings of a file as the child would."""
    target, notes_path = path.with_name("findings.xlsx"), path.with_name("notes.json")
    notes_path.write_text(json.dumps(asdict(notes or Notes(HEADERS))), encoding="utf-8")
    assert write_findings(str(path), "dados.xlsx", asdict(request), str(notes_path), str(target)) is None
    return target


def column(path: Path, header: str, *, header_row: int = 1) -> list[Any]:
    rows: Any = [[cell.value for cell in row] for row in load_workbook(path).worksheets[0].iter_rows()]
    position = rows[header_row - 1].index(header)
    return [row[position] for row in rows[header_row:]]


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (TEXT, ""),
        (TOKEN, ""),
        (TEXT, "text_cls/andamentos_processuais_legalnlp.xlsx"),
        (TEXT, "nasty_xlsx/crafted_linhas_vazias_intercaladas.xlsx"),
        (TEXT, "nasty_xlsx/crafted_titulo_acima_do_cabecalho.xlsx"),
        (TOKEN, "nasty_xlsx/crafted_ner_jsons_defeituosos.xlsx"),
    ],
)
def test_what_comes_back_unchanged_is_judged_as_before(task: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "dados.xlsx"
    path.write_bytes(shared_data(name).read_bytes() if name else workbook_bytes(task))
    before = check_file(path, task=task, table_path=tmp_path / "before")
    after = check_file(write(path, CheckRequest(task)), task=task, table_path=tmp_path / "after")
    assert (after.counts, after.columns_found) == (before.counts, before.columns_found)
    if before.valid:
        table = read_table(tmp_path / "after")
        assert [text[13:] for text in table.pop("row_id")] == [str(row) for row in table["row"]]
        assert table == read_table(tmp_path / "before")


def test_notes_stand_beside_their_rows_below_a_header_that_was_found(tmp_path: Path) -> None:
    path = tmp_path / "dados.xlsx"
    path.write_bytes(workbook_of(TITLE))
    request = CheckRequest(TEXT, recipe=["find_header"])
    target = write(path, request, Notes(HEADERS, {4: ("wrong", "mend it")}, {3: 1, 8: 1}))
    assert column(target, HEADERS[0], header_row=2) == [None, "wrong", None, None, None, None]
    assert column(target, HEADERS[1], header_row=2)[1] == "mend it"
    assert column(target, HEADERS[3], header_row=2) == ["1", None, None, None, None, "1"]


def test_a_column_of_another_name_is_compared_when_it_was_named(tmp_path: Path) -> None:
    path = tmp_path / "dados.xlsx"
    path.write_bytes(workbook_of([("pedido", "label"), ("igual", "a"), ("outro", "b"), ("igual", "a"), (" ", "b")]))
    request = CheckRequest(TEXT, columns={"text": "pedido"})
    assert column(write(path, request), HEADERS[2]) == [None, None, "2", None]
    assert column(write(path, replace(request, columns={})), HEADERS[2]) == [None] * 4


def test_groups_are_numbered_in_the_order_of_their_first_rows() -> None:
    assert number_groups([2, 3, 5, 7, 9], [0, 1, 2, 1, 0]) == {2: 1, 9: 1, 3: 2, 7: 2}
