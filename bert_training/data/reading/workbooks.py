"""Reads one sheet of a workbook (.xlsx, .xls, .ods) with calamine. The container was judged before.

The header is the first row that is not blank. Blank rows are skipped; every row keeps its number.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
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
from bert_training.data.cells import BLANK, clean_cell, excerpt, is_blank, to_text
from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.progress import tell
from bert_training.data.reading.cell_flags import find_hidden
from bert_training.data.reading.kinds import FileKind
from bert_training.data.reading.refusals import damaged, encrypted, too_complex
from bert_training.data.reading.sheet import ROWS, Sheet, Value, check_width, no_rows, too_many_rows

PARSED_PERCENT = 50  # of reading: calamine has read the sheet, its rows are not taken yet
CELL_LIMIT = "Cell limit exceeded"  # what calamine says of a sheet that would be laid out as 100 million cells


def read_workbook(path: Path, kind: FileKind, problems: Problems, *, sheet: str | None = None) -> Sheet:
    """Read the named sheet, or the first visible one. Raises DatasetRefused."""
    try:
        with _named(path, kind) as named, CalamineWorkbook.from_path(named) as workbook:
            readable = _readable(workbook.sheets_metadata)
            name = _choose_sheet(workbook.sheets_metadata, readable, sheet, problems)
            index = readable[name]
            with ThreadPoolExecutor(1) as beside:  # both inflate the sheet outside of Python's lock: at the same time
                hidden = beside.submit(_hidden, path, kind, index)
                rows = workbook.get_sheet_by_index(index)
                tell(PARSED_PERCENT)
                found = _take_rows(path, kind, rows, index=index, sheets=list(readable))
            return _with_hidden(found, *hidden.result())
    except PasswordError as error:
        raise encrypted() from error
    except (CalamineError, OSError) as error:
        raise (too_complex() if CELL_LIMIT in str(error) else damaged(str(error))) from error


@contextmanager
def _named(path: Path, kind: FileKind) -> Iterator[Path]:
    """Give the file the name of its kind: calamine believes names, and of a file without one it tells no errors."""
    with tempfile.TemporaryDirectory(prefix="bert-read-") as folder:
        named = Path(folder) / f"file.{kind.value}"
        try:
            named.symlink_to(path.resolve())
        except OSError:  # Windows lets only administrators make links
            shutil.copyfile(path, named)
        yield named


def _readable(sheets: list[SheetMetadata]) -> dict[str, int]:
    """Return name -> position of the sheets that hold cells."""
    return {each.name: index for index, each in enumerate(sheets) if each.typ == SheetTypeEnum.WorkSheet}


def _choose_sheet(sheets: list[SheetMetadata], readable: dict[str, int], wanted: str | None, problems: Problems) -> str:
    values: dict[str, str | int]
    if wanted:
        if wanted in readable:
            return wanted
        message = gettext_noop("The workbook has no sheet %(wanted)s; it has %(found)s.")
        values = {"wanted": excerpt(wanted), "found": _listed(readable)}
        raise DatasetRefused(Problem("sheet_not_found", message, gettext_noop("Choose one of them."), values))
    visible = [name for name, index in readable.items() if sheets[index].visible == SheetVisibleEnum.Visible]
    if not visible:
        message = gettext_noop("The workbook has no visible sheet.")
        raise DatasetRefused(Problem("no_sheet", message, gettext_noop("Show a sheet in Excel and save.")))
    if len(sheets) > 1:
        message = gettext_noop("The workbook has %(count)d sheets (%(names)s); only %(sheet)s was read.")
        repair = gettext_noop("Name another sheet if that is the wrong one.")
        values = {"count": len(sheets), "sheet": excerpt(visible[0]), "names": _listed(readable)}
        problems.warning(Problem("several_sheets", message, repair, values))
    return visible[0]


def _take_rows(path: Path, kind: FileKind, sheet: CalamineSheet, *, index: int, sheets: list[str]) -> Sheet:
    check_width(sheet.width)
    numbers: list[int] = []
    rows: list[Sequence[Value]] = []
    for number, row in enumerate(sheet.iter_rows() if sheet.start else (), start=1):
        first = row[0]
        # Nearly every row begins with a text that begins with a letter: that look alone costs a third of all of them.
        if (first.__class__ is str and first and first[0] not in BLANK) or not _is_blank_row(row):
            numbers.append(number)
            rows.append(row)
            if len(rows) > ROWS + 1:
                raise too_many_rows()
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
        kind=kind,
        sheets=[clean_cell(name) for name in sheets],
        header_row=numbers[0],
    )


def _hidden(path: Path, kind: FileKind, index: int) -> tuple[set[int], set[int]]:
    """Return numbers of hidden rows and positions of hidden columns; an .ods tells them with its merged cells."""
    return find_hidden(path, index) if kind == FileKind.XLSX else (set(), set())


def _with_hidden(sheet: Sheet, rows: set[int], columns: set[int]) -> Sheet:
    if not rows and not columns:
        return sheet
    positions = {column - sheet.first_column for column in columns}
    return replace(
        sheet,
        hidden_rows=frozenset(rows.intersection(sheet.row_numbers)),
        hidden_columns=frozenset(positions.intersection(range(len(sheet.header)))),
    )


def _is_blank_row(row: Sequence[Value]) -> bool:
    for value in row:  # noqa: SIM110 - a generator per row costs 0.1 s more for 130,000 rows
        if not isinstance(value, str) or not is_blank(value):
            return False
    return True


def _listed(names: Iterable[str]) -> str:
    return ", ".join(excerpt(name, 40) for name in list(names)[:20])
