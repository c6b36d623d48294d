"""Reports what a sheet did to the cells of a task, whichever task it is: hidden, garbled, turned into text."""

from collections.abc import Mapping, Sequence
from functools import partial

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problem, Problems, Values
from bert_training.data.doctor.cell_faults import CellFault
from bert_training.data.doctor.column_values import ColumnValues
from bert_training.data.doctor.mojibake import mend
from bert_training.data.reading.sheet import Sheet
from bert_training.data.repairs import Fix
from bert_training.data.table import Cells

CELLS_NAMED = 5
WORD_CHARACTERS = 40


def report_columns(cells: Cells, taken: Mapping[str, ColumnValues], problems: Problems) -> None:
    """Note for each column which cells were no text, lost characters, or hold garbled accents."""
    for column, values in taken.items():
        _note_converted(cells, column, values.converted, problems)
        _note_cleaned(cells, column, values.cleaned, problems)
        _note_garbled(cells, column, values.garbled, problems)
        problems.repaired(Fix.MEND_MOJIBAKE, values.mended)


def report_hidden(sheet: Sheet, found: Mapping[str, list[int]], cells: Cells, problems: Problems) -> None:
    """Note hidden rows, which are read as well, and hidden columns that the task takes."""
    message = gettext_noop("The row is hidden in the spreadsheet, but it was read as well.")
    repair = gettext_noop("Leave hidden rows out, or show them (and clear the filter) if they belong to the data.")
    fault = CellFault("hidden_row", next(iter(found)), message, repair, fix=Fix.LEAVE_OUT_HIDDEN.value)
    hidden = [index for index, row in enumerate(cells.rows) if row in sheet.hidden_rows] if sheet.hidden_rows else []
    problems.warnings_at(hidden, partial(fault.at, cells))
    for column, positions in found.items():
        if sheet.hidden_columns.intersection(positions):
            message = gettext_noop("The column %(column)s is hidden in the spreadsheet, but it was read.")
            repair = gettext_noop("Name another column if that is the wrong one.")
            values: Values = {"column": excerpt(cells.headers[column])}
            problems.warning(Problem("hidden_column", message, repair, values, sheet=cells.sheet))


def _note_converted(cells: Cells, column: str, indexes: Sequence[int], problems: Problems) -> None:
    if not indexes:
        return
    message = gettext_noop(
        "Cells of %(column)s that held numbers, dates or true/false became text: %(count)d (%(examples)s). The rule: a "
        "whole number loses .0, TRUE and FALSE become verdadeiro and falso, a date is written like 2026-11-20."
    )
    repair = gettext_noop("Format the column as text in the spreadsheet if they shall be written in another way.")
    examples = ", ".join(_example(cells, column, index) for index in indexes[:CELLS_NAMED])
    values: Values = {"count": len(indexes), "column": excerpt(cells.headers[column]), "examples": examples}
    problems.warning(
        Problem("turned_into_text", message, repair, values, sheet=cells.sheet, column=cells.headers[column]),
        count=len(indexes),
    )


def _example(cells: Cells, column: str, index: int) -> str:
    place = f"{cells.letters.get(column, '')}{cells.rows[index]}"
    return f'{place} "{excerpt(cells.texts[column][index], WORD_CHARACTERS)}"'


def _note_cleaned(cells: Cells, column: str, indexes: Sequence[int], problems: Problems) -> None:
    message = gettext_noop("The cell held control characters, which were removed or replaced by �.")
    problems.warnings_at(indexes, partial(CellFault("control_characters", column, message).at, cells))


def _note_garbled(cells: Cells, column: str, garbled: Mapping[int, str], problems: Problems) -> None:
    message = gettext_noop('Letters are garbled: "%(garbled)s" should probably read "%(mended)s".')
    repair = gettext_noop("Let the portal mend them, or export the texts again as UTF-8.")

    def describe(index: int) -> Problem:
        word = garbled[index]
        values: Values = {"garbled": excerpt(word, WORD_CHARACTERS), "mended": excerpt(mend(word), WORD_CHARACTERS)}
        fix = Fix.MEND_MOJIBAKE.value
        return cells.problem("mojibake", message, column=column, index=index, repair=repair, values=values, fix=fix)

    problems.warnings_at(sorted(garbled), describe)
