"""Compares a canonical table with that of the dataset it continues, in a child process: both hold strangers' texts."""

from pathlib import Path

from bert_training.data.parquet import read_table
from bert_training.data.process_limits import BACKGROUND_LIMITS
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.writing.row_match import compare
from bert_training.tasks import TASKS


def compare_in_sandbox(table: Path, earlier: Path, *, task: str, file: str) -> dict[str, int]:
    """Return data.writing.row_match.Continuation as a dict. file: see data.writing.row_match. Raises DatasetRefused."""
    arguments = {"table": str(table.resolve()), "earlier": str(earlier.resolve()), "task": task, "file": file}
    counts: dict[str, int] = run_in_sandbox(f"{__name__}.compare_tables", arguments, limits=BACKGROUND_LIMITS)
    return counts


def compare_tables(table: str, earlier: str, task: str, file: str) -> dict[str, int]:
    """Run in the child."""
    text, answer = (column.name for column in TASKS[task].columns)
    new, old = read_table(Path(table)), read_table(Path(earlier))
    return compare(new, old, file=file, text=text, answer=answer).as_dict()
