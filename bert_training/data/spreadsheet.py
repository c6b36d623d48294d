"""Reads what a user sends, in whichever format, into one Sheet; runs in a child process (data.sandbox).

Judges the file's kind first, then leaves it to the reader of that kind (data.reading).
"""

from dataclasses import replace
from pathlib import Path

from bert_training.contract.wording import gettext_noop
from bert_training.data.archive import check_package
from bert_training.data.cell_flags import find_hidden
from bert_training.data.checks import Problem, Problems
from bert_training.data.kinds import FileKind
from bert_training.data.reading.workbooks import read_workbook
from bert_training.data.repairs import NOTHING, Recipe
from bert_training.data.sheet import Sheet


def read_sheet(
    path: Path, problems: Problems, *, sheet: str | None = None, display_name: str = "", recipe: Recipe = NOTHING
) -> Sheet:
    """Read the named sheet, or the first visible one. Raises DatasetRefused; other remarks go into problems.

    Formats without sheets ignore the name. Does the repairs of the recipe that are about rows (merged, hidden ones).
    """
    facts = check_package(path, display_name=display_name)
    found = read_workbook(path, FileKind.XLSX, problems, sheet=sheet)
    if facts.with_hidden:
        rows, columns = find_hidden(path, found.index)
        found = replace(
            found,
            hidden_rows=frozenset(rows.intersection(found.row_numbers)),
            hidden_columns=frozenset(
                column - found.first_column
                for column in columns
                if 0 <= column - found.first_column < len(found.header)
            ),
        )
    if facts.active:
        message = gettext_noop("The workbook holds %(kinds)s; they were ignored.")
        problems.warning(Problem("active_content", message, values={"kinds": ", ".join(facts.active)}))
    return found
