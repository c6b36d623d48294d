"""The forms in which rows travel: cells as they were read, and tables of plain columns that tasks judge.

No library: lists instead of frames keep the import of pandas (0.25 s) out of the child that checks an upload.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bert_training.data.checks import Problem

ROW = "row"  # first column of every canonical table: the row number in the spreadsheet, as a person sees it

Columns = dict[str, list[Any]]


class Table(Protocol):
    """A canonical table to read from: a dict of lists, or a pandas DataFrame on the worker."""

    def __getitem__(self, name: str, /) -> Iterable[Any]:
        """Return the values of one column, in the order of the rows."""


class CellFlag(StrEnum):
    """Why a cell that looks blank is not simply empty."""

    ERROR = "error"
    FORMULA = "formula"


@dataclass(frozen=True)
class Cells:
    """The matched columns of a sheet as text.

    rows: spreadsheet row numbers, from 1.  texts: task column -> one text a row, "" for a blank cell.
    headers: task column -> header found.  letters: task column -> "B", or "" when several columns were joined.
    flags: (task column, index) -> why that cell has no value.
    """

    sheet: str
    rows: list[int]
    texts: dict[str, list[str]]
    headers: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[tuple[str, int], CellFlag] = field(default_factory=dict)

    def problem(
        self, code: str, message: str, *, column: str, index: int, repair: str = "", **values: str | int
    ) -> Problem:
        """Describe what is wrong with one cell: sheet, row, header and name of the cell are filled in."""
        row, letter = self.rows[index], self.letters.get(column, "")
        return Problem(
            code,
            message,
            repair,
            values,
            sheet=self.sheet,
            row=row,
            column=self.headers.get(column, column),
            cell=f"{letter}{row}" if letter else "",
        )


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
