"""Reports cells that must not be blank, with the reason why they are: empty, formula without a value, error."""

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import is_blank
from bert_training.data.checks import Problems
from bert_training.data.table import CellFlag, Cells

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
    None: (
        "empty_cell",
        gettext_noop("The cell is empty."),
        gettext_noop("Fill it in or delete the row."),
    ),
}


def report_blanks(cells: Cells, column: str, problems: Problems) -> set[int]:
    """Note an error for every blank cell of the column; returns the indexes of their rows."""
    blanks = [index for index, text in enumerate(cells.texts[column]) if is_blank(text)]
    for index in blanks:
        code, message, repair = _REASONS[cells.flags.get((column, index))]
        problems.error(cells.problem(code, message, column=column, index=index, repair=repair))
    return set(blanks)
