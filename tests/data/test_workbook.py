"""New workbooks: every cell is text for every program that reads it, and holds what was written."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from bert_training.data.writing.sheet_cells import CELL_CHARACTERS, cell_text
from bert_training.data.writing.workbook import ColumnLook, write_rows, write_workbook


def opened(content: bytes) -> Any:
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return sheet


def read_back(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "007", "1e5", "VERDADEIRO", "2026-11-20"])
def test_nothing_in_a_written_workbook_acts_as_anything_but_text(text: str) -> None:
    content = write_workbook(["texto", text], [[text, "x"]])
    cells = [cell for row in opened(content).iter_rows() for cell in row]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    assert read_back(content) == [["texto", text], [text, "x"]]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a\x00b\x1bc\ud800", "a\ufffdb\ufffdc\ufffd"),
        ("<b>&amp;</b> \"'", "<b>&amp;</b> \"'"),
        ("um\r\ndois\rtrês", "um\ndois\ntrês"),
        ("  à esquerda e à direita  ", "  à esquerda e à direita  "),
        ("_x0041_ _x000D_ _x_", "_x0041_ _x000D_ _x_"),  # Excel's own escapes, here mere letters
        ("\U0001f469\u200d\u2696\ufe0f \u202e", "\U0001f469\u200d\u2696\ufe0f \u202e"),
    ],
)
def test_a_cell_holds_what_was_written(text: str, read: str) -> None:
    assert read_back(write_workbook([text], [])) == [[read]]


def test_a_text_longer_than_excel_opens_is_cut_visibly() -> None:
    cut = cell_text("a" * 40_000)
    assert (len(cut), cut[-2:]) == (CELL_CHARACTERS, "a\u2026")


def test_columns_are_as_wide_as_asked_and_the_header_stays() -> None:
    buffer = io.BytesIO()
    write_rows(buffer, ["a", "b"], rows=[["", "x"]], title='de "1" & 2', looks={1: ColumnLook(9, is_hidden=True)})
    sheet = opened(buffer.getvalue())
    assert (sheet.title, sheet.freeze_panes, sheet["A1"].font.b) == ('de "1" & 2', "A2", True)
    assert (sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].hidden) == (60, True)
    assert [cell.value for cell in sheet[2]] == [None, "x"]
