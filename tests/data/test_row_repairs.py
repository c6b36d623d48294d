"""The repairs that are done while a sheet is read: a header below titles, merged cells, hidden rows."""

from pathlib import Path

import pytest
from openpyxl import Workbook

from bert_training.data.repairs import Fix
from tests.checking import check_file
from tests.data.packages import SHEET_PART, TEXTS, cell, sheet_xml, write_package
from tests.workbooks import workbook_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.xlsx"


def test_a_header_below_titles_is_offered_and_taken(path: Path) -> None:
    path.write_bytes(workbook_of([("Relatório anual",), (), ("label das peças",), *TEXTS]))
    refused = check_file(path)
    assert (refused.errors[0].code, refused.errors[0].fix) == ("missing_column", Fix.FIND_HEADER)
    repaired = check_file(path, recipe=[Fix.FIND_HEADER])
    assert repaired.valid
    assert (repaired.columns_found, repaired.preview[0]["row"]) == (["texto", "label"], 5)
    assert repaired.counts == {"repaired": 2}


def test_a_header_below_titles_may_be_one_that_was_chosen(path: Path) -> None:
    path.write_bytes(workbook_of([("Relatório",), ("corpo", "tema"), *TEXTS[1:]]))
    assert check_file(path, columns={"text": "corpo", "label": "tema"}, recipe=[Fix.FIND_HEADER]).valid


def test_without_titles_the_header_stays(path: Path) -> None:
    path.write_bytes(workbook_of([*TEXTS, ("texto", "label")]))
    assert check_file(path, recipe=[Fix.FIND_HEADER]).rows == len(TEXTS)


def test_merged_cells_are_filled(path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in [("Título", None), *TEXTS]:
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("B3:B4")
    book.save(path)
    assert not check_file(path, recipe=[Fix.FIND_HEADER]).valid
    report = check_file(path, recipe=[Fix.FIND_HEADER, Fix.FILL_MERGED])
    assert report.valid
    assert [row["label"] for row in report.preview[:3]] == ["a", "a", "a"]
    assert report.counts == {"repaired": 2}


def test_hidden_rows_are_left_out(path: Path) -> None:
    extra = f'<row r="10" hidden="1">{cell("A10", "oculto")}{cell("B10", "c")}</row>'
    write_package(path, {SHEET_PART: sheet_xml(TEXTS, extra=extra)})
    assert check_file(path).rows == 9
    report = check_file(path, recipe=[Fix.LEAVE_OUT_HIDDEN])
    assert report.counts == {"repaired": 1}
    assert (report.rows, set(report.summary["labels"])) == (8, {"a", "b"})
