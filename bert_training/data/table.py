"""The forms in which rows travel: cells as they were read, and tables of plain columns that tasks judge.

No library: lists instead of frames keep the import of pandas (0.25 s) out of the child that checks an upload.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bert_training.contract.enums import Split
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problem, Values

ROW = "row"  # first column of every canonical table: the row number in the spreadsheet, as a person sees it
GROUP = "group"  # optional last columns: what must not be divided (a process number), as text ...
SPLIT = "split"  # ... and the split that the user's own files give the row
ROW_ID = "row_id"  # ... and the id that an earlier download wrote beside the row (writing.own_columns), "" without one
EXCERPT_CHARACTERS = 60

# Rows of a validation or test file that was sent beside the first: 10,000,017 is row 17 of the validation file.
PART_STRIDE = 10_000_000
PARTS = (Split.TRAIN, Split.VALIDATION, Split.TEST)

Columns = dict[str, list[Any]]


class Table(Protocol):
    """A canonical table to read from: a dict of lists, or a pandas DataFrame on the worker."""

    def __getitem__(self, name: str, /) -> Iterable[Any]:
        """Return the values of one column, in the order of the rows."""


class CellFlag(StrEnum):
    """Why a cell cannot be used although it is not simply empty."""

    ERROR = "error"
    FORMULA = "formula"
    MERGED = "merged"  # blank, because the first cell of its area carries the value
    TOO_LONG = "too_long"


@dataclass(frozen=True)
class Cells:
    """The matched columns of a sheet as text.

    rows: spreadsheet row numbers, from 1 (see PART_STRIDE).  texts: task column -> one text a row, "" for a blank cell.
    headers: task column -> header found.  letters: task column -> "B", or "" when several columns were joined.
    flags: (task column, index) -> why that cell cannot be used.
    parts: position in PARTS -> the cells of a file sent beside the first, as they were before they were joined to it.
    row_ids: what the column of ids holds (writing.own_columns), one text a row; empty where there is no such column.
    """

    sheet: str
    rows: list[int]
    texts: dict[str, list[str]]
    headers: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[tuple[str, int], CellFlag] = field(default_factory=dict)
    parts: Mapping[int, "Cells"] = field(default_factory=dict)
    row_ids: Sequence[str] = ()

    def problem(
        self,
        code: str,
        message: str,
        *,
        column: str,
        index: int,
        repair: str = "",
        values: Values | None = None,
        fix: str = "",
    ) -> Problem:
        """Describe what is wrong with one cell: file, sheet, row, header, name and value of the cell are filled in."""
        part, row = divmod(self.rows[index], PART_STRIDE)
        place = self.parts.get(part, self)
        letter = place.letters.get(column, "")
        return Problem(
            code,
            message,
            repair,
            values or {},
            sheet=place.sheet,
            row=row,
            column=place.headers.get(column, column),
            cell=f"{letter}{row}" if letter else "",
            part=PARTS[part].value if part else "",
            excerpt=excerpt(self.texts[column][index], EXCERPT_CHARACTERS) if column in self.texts else "",
            fix=fix,
        )


def join_parts(parts: Mapping[Split, Cells]) -> Cells:
    """Join the files of an upload below each other; the first alone stays as it is."""
    first = parts[Split.TRAIN]
    if len(parts) == 1:
        return first
    rows, flags = list(first.rows), dict(first.flags)
    texts = {name: list(values) for name, values in first.texts.items()}
    others = {PARTS.index(split): cells for split, cells in parts.items() if split != Split.TRAIN}
    for position, cells in others.items():
        flags |= {(name, index + len(rows)): flag for (name, index), flag in cells.flags.items()}
        rows += [row + position * PART_STRIDE for row in cells.rows]
        for name, values in texts.items():
            values += cells.texts[name]
    row_ids = [known for cells in (first, *others.values()) for known in cells.row_ids or [""] * len(cells.rows)]
    return Cells(first.sheet, rows, texts, first.headers, first.letters, flags, others, row_ids if any(row_ids) else ())


def column_letter(index: int) -> str:
    """Name a column as spreadsheets do: 0 -> A, 25 -> Z, 26 -> AA."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def select_rows(columns: Columns, keep: list[int]) -> Columns:
    """Return the rows with these positions; the same lists when all are kept."""
    if all(len(keep) == len(values) for values in columns.values()):
        return columns
    return {name: [values[index] for index in keep] for name, values in columns.items()}
