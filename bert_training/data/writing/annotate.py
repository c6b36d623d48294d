"""Gives a user's spreadsheet back with added columns: an .xlsx as it was down to the byte, others as a new .xlsx.

Added texts are inline text cells, so none can act as a formula. Runs in a child process: it reads a stranger's file.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bert_training.data.cells import to_text
from bert_training.data.reading.archive import open_package
from bert_training.data.reading.cell_flags import last_formula
from bert_training.data.reading.kinds import FileKind
from bert_training.data.reading.package_parts import sheet_part, table_parts
from bert_training.data.reading.sheet import Sheet
from bert_training.data.writing.sheet_edit import AddedColumn, Additions, TextsOf, edit_sheet
from bert_training.data.writing.sheet_head import SheetNotEditable
from bert_training.data.writing.sheet_ranges import widen_table
from bert_training.data.writing.workbook import COMPRESSION_LEVEL, ColumnLook, write_rows

PIECE_BYTES = 1024 * 1024
LAST_COLUMN = 16_383  # XFD, from 0
READ_WIDTH = 20  # of the user's own columns in a new workbook


@dataclass(frozen=True)
class NewColumn:
    """A column to add: what it is called and how it looks. One of that name that is there already is written anew."""

    header: str
    look: ColumnLook = field(default_factory=ColumnLook)


def annotate(sheet: Sheet, target: Path, *, columns: Sequence[NewColumn], texts_of: TextsOf) -> bool:
    """Write the spreadsheet with these columns to target; returns whether its looks could be kept.

    texts_of: row number -> one text a column, or nothing.
    """
    if sheet.kind == FileKind.XLSX:
        right = max((right for _, (bottom, right) in sheet.merged if bottom + 1 >= sheet.header_row), default=-1)
        free = 1 + max(right, last_formula(sheet.path, sheet.index))
        additions = _place(sheet, columns, texts_of, free=free)
        if additions.columns[-1].position <= LAST_COLUMN:
            try:
                _edit_package(sheet, target, additions)
                return True
            except SheetNotEditable:
                target.unlink(missing_ok=True)
    _write_anew(sheet, target, _place(sheet, columns, texts_of))
    return False


def _place(sheet: Sheet, columns: Sequence[NewColumn], texts_of: TextsOf, *, free: int = 0) -> Additions:
    """Find the place of each column: where one of its name is, else to the right of all that is used.

    free: the first position that nothing but cells with a value may take.
    """
    free = max(free, sheet.first_column + len(sheet.header))
    placed = []
    for column in columns:
        if column.header in sheet.header:
            position = sheet.first_column + sheet.header.index(column.header)
        else:
            position, free = free, free + 1
        placed.append(AddedColumn(position, column.header, column.look))
    order = sorted(range(len(columns)), key=lambda index: placed[index].position)

    def in_order(row: int) -> Sequence[str]:
        texts = texts_of(row)
        return [texts[index] for index in order] if texts else ()

    return Additions([placed[index] for index in order], sheet.header_row, in_order)


def _edit_package(sheet: Sheet, target: Path, additions: Additions) -> None:
    """Copy the package part by part; only the one sheet changes, and the tables on it."""
    with open_package(sheet.path) as package:
        edited = sheet_part(package, sheet.index)
        if edited is None:
            raise SheetNotEditable("the sheet has no part")
        tables = table_parts(package, edited)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL) as copy:
            for entry in package.infolist():
                with package.open(entry) as source, copy.open(entry.filename, "w") as part:
                    pieces = _pieces(source)
                    if entry.filename == edited:
                        pieces = edit_sheet(source, additions)
                    elif entry.filename in tables:
                        pieces = iter([widen_table(source.read(), additions.names, additions.header_row)])
                    for piece in pieces:
                        part.write(piece)


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(PIECE_BYTES):
        yield piece


def _write_anew(sheet: Sheet, target: Path, additions: Additions) -> None:
    """Write all columns as text into a new workbook, the rows where they were."""
    offset = sheet.first_column
    width = max(len(sheet.header), additions.columns[-1].position - offset + 1)

    def with_added(texts: list[str], added: Sequence[str]) -> list[str]:
        texts += [""] * (width - len(texts))
        for column, text in zip(additions.columns, added, strict=True):
            texts[column.position - offset] = text
        return texts

    looks = {position: ColumnLook(READ_WIDTH) for position in range(width)}
    write_rows(
        target,
        with_added(list(sheet.header), [column.header for column in additions.columns]),
        rows=(
            with_added([to_text(value) for value in row], additions.texts_of(number))
            for number, row in zip(sheet.row_numbers, sheet.rows, strict=True)
        ),
        numbers=sheet.row_numbers if sheet.row_numbers[:1] > [1] else None,  # none at all where all are broken
        title=sheet.name,
        looks=looks | {column.position - offset: column.look for column in additions.columns},
    )
