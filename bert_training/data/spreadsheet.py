"""Reads one sheet of an .xlsx into rows of values, with limits; runs in a child process (data.sandbox).

The header is the first row that is not blank. Blank rows are skipped; every row keeps its number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from bert_training.contract.wording import gettext_noop
from bert_training.data.archive import SAVE_AS_XLSX, check_package, damaged
from bert_training.data.cells import clean_cell, excerpt, is_blank, to_text
from bert_training.data.checks import DatasetRefused, Problem, Problems

ROWS = 1_000_000
COLUMNS = 200
CELL_CHARACTERS = 32_767  # Excel's own limit

Value = object


@dataclass(frozen=True)
class Sheet:
    """One sheet as read. `first_column` is the position of the first header in the sheet, from 0."""

    path: Path
    name: str
    index: int
    first_column: int
    header: list[str]
    row_numbers: list[int]
    rows: list[Sequence[Value]]
    merged: list[tuple[tuple[int, int], tuple[int, int]]]


def read_sheet(path: Path, problems: Problems, *, sheet: str | None = None, display_name: str = "") -> Sheet:
    """Read the named sheet, or the first visible one. Raises DatasetRefused; other remarks go into problems."""
    active = check_package(path, display_name=display_name)
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            index = _choose_sheet(workbook.sheets_metadata, sheet, problems)
            found = _read(path, workbook.get_sheet_by_index(index), index)
    except PasswordError as error:
        message = gettext_noop("The workbook is protected by a password.")
        raise DatasetRefused(Problem("encrypted", message, SAVE_AS_XLSX)) from error
    except (CalamineError, OSError) as error:
        raise damaged(str(error)) from error
    if active:
        message = gettext_noop("The workbook holds %(kinds)s; they were ignored.")
        problems.warning(Problem("active_content", message, values={"kinds": ", ".join(active)}))
    return found


def _choose_sheet(sheets: list[SheetMetadata], wanted: str | None, problems: Problems) -> int:
    readable = {each.name: index for index, each in enumerate(sheets) if each.typ == SheetTypeEnum.WorkSheet}
    values: dict[str, str | int]
    if wanted:
        if wanted in readable:
            return readable[wanted]
        message = gettext_noop("The workbook has no sheet %(wanted)s; it has %(found)s.")
        values = {"wanted": excerpt(wanted), "found": _listed(readable)}
        raise DatasetRefused(Problem("sheet_not_found", message, gettext_noop("Choose one of them."), values))
    visible = [name for name in readable if sheets[readable[name]].visible == SheetVisibleEnum.Visible]
    if not visible:
        message = gettext_noop("The workbook has no visible sheet.")
        raise DatasetRefused(Problem("no_sheet", message, gettext_noop("Show a sheet in Excel and save.")))
    if len(sheets) > 1:
        message = gettext_noop("The workbook has %(count)d sheets (%(names)s); only %(sheet)s was read.")
        repair = gettext_noop("Name another sheet if that is the wrong one.")
        values = {"count": len(sheets), "sheet": excerpt(visible[0]), "names": _listed(readable)}
        problems.warning(Problem("several_sheets", message, repair, values))
    return readable[visible[0]]


def _read(path: Path, sheet: CalamineSheet, index: int) -> Sheet:
    _check_width(sheet)
    numbers: list[int] = []
    rows: list[Sequence[Value]] = []
    for number, row in enumerate(sheet.iter_rows() if sheet.start else (), start=1):
        if not _is_blank_row(row):
            numbers.append(number)
            rows.append(row)
            if len(rows) > ROWS + 1:
                _refuse_rows()
    if not rows:
        raise no_rows(sheet.name)
    return Sheet(
        path=path,
        name=clean_cell(sheet.name),
        index=index,
        first_column=sheet.start[1] if sheet.start else 0,
        header=[clean_cell(to_text(value)) for value in rows[0]],
        row_numbers=numbers[1:],
        rows=rows[1:],
        merged=sheet.merged_cell_ranges or [],
    )


def no_rows(sheet: str) -> DatasetRefused:
    """Say that a sheet has nothing below its header."""
    message = gettext_noop("The sheet %(sheet)s has no rows below its header.")
    repair = gettext_noop("Fill in one example a row, or choose the sheet that has the data.")
    return DatasetRefused(Problem("no_rows", message, repair, {"sheet": excerpt(sheet)}, sheet=sheet))


def _check_width(sheet: CalamineSheet) -> None:
    if sheet.width > COLUMNS:
        message = gettext_noop("The sheet has %(count)d columns; at most %(limit)d are taken.")
        repair = gettext_noop("Keep the columns that are needed and delete the others.")
        values: dict[str, str | int] = {"count": sheet.width, "limit": COLUMNS}
        raise DatasetRefused(Problem("too_many_columns", message, repair, values))


def _is_blank_row(row: Sequence[Value]) -> bool:
    for value in row:  # noqa: SIM110 - a generator per row costs 0.1 s more for 130,000 rows
        if not isinstance(value, str) or not is_blank(value):
            return False
    return True


def _refuse_rows() -> None:
    message = gettext_noop("The sheet has more than %(limit)d rows.")
    repair = gettext_noop("Split the spreadsheet or take a sample of it.")
    raise DatasetRefused(Problem("too_many_rows", message, repair, {"limit": ROWS}))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(excerpt(name, 40) for name in list(names)[:20])
