"""Compares a canonical table with that of the dataset it continues, in a child process: both hold strangers' texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bert_training.data.parquet import read_table
from bert_training.data.process_limits import BACKGROUND_LIMITS
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.writing.row_match import compare, corrected_rows
from bert_training.tasks import TASKS


class Compared(TypedDict):
    """counts: data.writing.row_match.Continuation.  corrected: positions of rows in the new table."""

    counts: dict[str, int]
    corrected: list[int]


def compare_in_sandbox(table: Path, earlier: Path, *, task: str, file: str, corrected: Sequence[int] = ()) -> Compared:
    """Compare the table with the earlier one. Raises DatasetRefused.

    file: see data.writing.row_match.  corrected: positions of rows whose answer was corrected in the earlier one.
    """
    arguments = {
        "table": str(table.resolve()),
        "earlier": str(earlier.resolve()),
        "task": task,
        "file": file,
        "corrected": list(corrected),
    }
    compared: Compared = run_in_sandbox(f"{__name__}.compare_tables", arguments, limits=BACKGROUND_LIMITS)
    return compared


def compare_tables(table: str, earlier: str, task: str, file: str, corrected: list[int]) -> Compared:
    """Run in the child."""
    text, answer = (column.name for column in TASKS[task].columns)
    new, old = read_table(Path(table)), read_table(Path(earlier))
    counts, pairs = compare(new, old, file=file, text=text, answer=answer)
    found = corrected_rows(new[answer], old[answer], pairs, frozenset(corrected))
    return {"counts": counts.as_dict(), "corrected": found}
