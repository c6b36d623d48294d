"""Reports cells that a task needs and cannot use, with the reason: empty, merged, formula without a value, error, long.

Rows with such a cell are left out of the table.
"""

import re
from collections import defaultdict

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import BLANK, is_blank
from bert_training.data.checks import Problem, Problems, Values
from bert_training.data.repairs import Fix
from bert_training.data.table import CellFlag, Cells

# What Excel shows in place of a value, in English and Portuguese; exported as .csv it is mere text.
_FIRST_LETTERS = frozenset("#" + BLANK)  # of blank cells and errors: other texts need no closer look
_ERROR_VALUE = re.compile(
    r"#(?:N/[AD]|REF!|VAL(?:UE|OR)!|N[AO]ME\?|DIV/0!|N[UÚ]M!|NUL[LO]!|SPILL!|DESPEJAR!|CALC!|CÁLC!)\s*"
)

# flag -> code, message, repair
_REASONS = {
    CellFlag.FORMULA: (
        "formula_without_value",
        gettext_noop("The cell holds a formula without a saved value."),
        gettext_noop("Open the file in Excel, let it compute, and save it; or paste the column as values."),
    ),
    CellFlag.ERROR: (
        "error_cell",
        gettext_noop("The cell shows an error of Excel such as #N/A or #REF!."),
        gettext_noop("Correct the formula or type the value."),
    ),
    CellFlag.MERGED: (
        "merged_cells",
        gettext_noop("The cell is part of a merged area, of which only the first cell carries the value."),
        gettext_noop("Split the merged cells and repeat the value in every row."),
    ),
    CellFlag.TOO_LONG: (
        "cell_too_long",
        gettext_noop("The cell has %(length)d characters, which is more than a cell may have."),
        gettext_noop("Shorten the text or split it into two rows."),
    ),
    None: (
        "empty_cell",
        gettext_noop("The cell is empty."),
        gettext_noop("Fill it in or delete the row."),
    ),
}
_FIXES = {CellFlag.MERGED: Fix.FILL_MERGED.value}


def report_bad_cells(cells: Cells, column: str, problems: Problems) -> set[int]:
    """Note an error for every cell of the column that cannot be used; returns the indexes of their rows."""
    indexes_of: defaultdict[CellFlag | None, list[int]] = defaultdict(list)
    texts = cells.texts[column]
    for index in [index for index, text in enumerate(texts) if not text or text[0] in _FIRST_LETTERS]:
        text = texts[index]
        if is_blank(text):
            indexes_of[cells.flags.get((column, index))].append(index)
        elif _ERROR_VALUE.fullmatch(text):
            indexes_of[CellFlag.ERROR].append(index)
    indexes_of[CellFlag.TOO_LONG] += sorted(
        index for (name, index), flag in cells.flags.items() if name == column and flag == CellFlag.TOO_LONG
    )
    for flag, indexes in indexes_of.items():
        _report(cells, column, indexes, flag, problems)
    return {index for indexes in indexes_of.values() for index in indexes}


def _report(cells: Cells, column: str, indexes: list[int], flag: CellFlag | None, problems: Problems) -> None:
    code, message, repair = _REASONS[flag]

    def describe(index: int) -> Problem:
        values: Values = {"length": len(cells.texts[column][index])} if flag == CellFlag.TOO_LONG else {}
        fix = _FIXES.get(flag, "") if flag else ""
        return cells.problem(code, message, column=column, index=index, repair=repair, values=values, fix=fix)

    problems.errors_at(indexes, describe)
