"""Writes rows into an .xlsx in which every cell is text: nothing in it can act as a formula when it is opened."""

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

SHEET_TITLE = "dados"
COLUMN_WIDTH = 60


def write_workbook(header: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = SHEET_TITLE) -> bytes:
    """Return the bytes of a workbook with one sheet: a bold header, then the rows."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(title)
    for position in range(1, len(header) + 1):
        sheet.column_dimensions[chr(ord("A") + position - 1)].width = COLUMN_WIDTH
    sheet.freeze_panes = "A2"
    sheet.append([_text_cell(sheet, name, bold=True) for name in header])
    for row in rows:
        sheet.append([_text_cell(sheet, text) for text in row])
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _text_cell(sheet: WriteOnlyWorksheet, text: str, *, bold: bool = False) -> Cell:
    """Make a cell whose type is text whatever it begins with; without this "=1+1" would become a formula."""
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("\ufffd", text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
