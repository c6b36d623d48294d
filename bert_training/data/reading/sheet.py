"""One sheet as it was read: a header, rows of values, and where they stand; whichever format the file has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import DatasetRefused, Problem
from bert_training.data.reading.kinds import FileKind
from bert_training.data.table import PART_STRIDE, CellFlag

ROWS = 1_000_000
COLUMNS = 200

# str, int, float, bool, date, datetime, time, timedelta, None; from records also lists and dicts.
Value = object
Area = tuple[tuple[int, int], tuple[int, int]]  # (top, left), (bottom, right), from 0


@dataclass(frozen=True)
class Sheet:
    """What a reader found. Formats without sheets are one sheet, called as the file is.

    index: position in the workbook, from 0.  first_column: position of the first header in the sheet, from 0.
    row_numbers: as a person sees them: of the row, of the line on which a record begins, or of the record.
    merged: areas whose first cell alone carries the value.  sheets: names of all that could be read instead.
    hidden_rows: row numbers.  hidden_columns: positions in the header.
    flags: (row number, position in the header) -> why a cell is blank, where the reader knows it (.ods).
    unreadable: position in the header -> type of a column whose values cannot be texts.
    encoding, separator: of a text file.  header_cells: of a .csv, how many its header has, which may be less than its
    rows have; None pads what is too short.  header_row: number of the row that is the header, in sheets.
    """

    path: Path
    name: str
    index: int
    first_column: int
    header: list[str]
    row_numbers: list[int]
    rows: list[Sequence[Value]]
    merged: list[Area] = field(default_factory=list)
    kind: FileKind = FileKind.XLSX
    sheets: list[str] = field(default_factory=list)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    flags: Mapping[tuple[int, int], CellFlag] = field(default_factory=dict)
    unreadable: Mapping[int, str] = field(default_factory=dict)
    encoding: str = ""
    separator: str = ""
    header_row: int = 1
    header_cells: int = COLUMNS

    @property
    def has_short_header(self) -> bool:
        """Tell whether rows of a .csv may have more cells than their header."""
        return self.kind in (FileKind.CSV, FileKind.TSV) and self.header_cells < len(self.header)


class Rows:
    """The rows of a sheet while it is read, with the limits of its size."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.values: list[Sequence[Value]] = []

    def __len__(self) -> int:
        return len(self.values)

    def add(self, number: int, values: Sequence[Value]) -> None:
        """Take one row. Raises DatasetRefused(too_many_rows)."""
        if len(self.values) >= ROWS or number >= PART_STRIDE:
            raise too_many_rows()
        self.numbers.append(number)
        self.values.append(values)


def check_width(columns: int) -> None:
    """Raise DatasetRefused(too_many_columns) for a sheet that is wider than what is taken."""
    if columns > COLUMNS:
        message = gettext_noop("The sheet has %(count)d columns; at most %(limit)d are taken.")
        repair = gettext_noop("Keep the columns that are needed and delete the others.")
        raise DatasetRefused(Problem("too_many_columns", message, repair, {"count": columns, "limit": COLUMNS}))


def no_rows(sheet: str) -> DatasetRefused:
    """Say that a sheet has nothing below its header."""
    message = gettext_noop("The sheet %(sheet)s has no rows below its header.")
    repair = gettext_noop("Fill in one example a row, or choose the sheet that has the data.")
    return DatasetRefused(Problem("no_rows", message, repair, {"sheet": excerpt(sheet)}, sheet=sheet))


def too_many_rows() -> DatasetRefused:
    """Say that a sheet is longer than what is taken."""
    message = gettext_noop("The sheet has more than %(limit)d rows.")
    repair = gettext_noop("Split the spreadsheet or take a sample of it.")
    return DatasetRefused(Problem("too_many_rows", message, repair, {"limit": ROWS}))
