"""Finds the header of a sheet with titles above it: the row, near the top, that names most of the wanted columns."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bert_training.data.cells import clean_cell, normalized, to_text
from bert_training.data.reading.sheet import COLUMNS, Sheet, Value

SEARCHED_ROWS = 10


def header_below(sheet: Sheet, wanted: Sequence[Iterable[str]]) -> int | None:
    """Return the index of the row that names more of the wanted columns than the header does, or None.

    wanted: for each column the names that it may have.
    """
    names = [{normalized(name) for name in column} for column in wanted]
    best, found = _named(sheet.header, names), None
    for index, row in enumerate(sheet.rows[:SEARCHED_ROWS]):
        count = _named(row, names)
        if count > best:
            best, found = count, index
    return found


def move_header(sheet: Sheet, index: int) -> Sheet:
    """Take this row as the header; what stood above it is left out."""
    return replace(
        sheet,
        header=[clean_cell(to_text(value)) for value in sheet.rows[index]],
        header_row=sheet.row_numbers[index],
        header_cells=next((at for at, value in enumerate(sheet.rows[index]) if value is None), COLUMNS),
        row_numbers=sheet.row_numbers[index + 1 :],
        rows=sheet.rows[index + 1 :],
    )


def _named(row: Sequence[Value], names: list[set[str]]) -> int:
    cells = {normalized(to_text(value)) for value in row}
    return sum(bool(column & cells) for column in names)
