"""The rows that ship with each task: what a user downloads as a pattern, and what the demo trains on."""

import csv

from bert_training.data.writing.workbook import write_workbook
from bert_training.tasks.spec import TaskSpec


def sample_rows(spec: TaskSpec, limit: int | None = None) -> list[tuple[str, ...]]:
    """Return the shipped rows, in the order of the task's columns."""
    with spec.sample_path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [tuple(row[column.header] for column in spec.columns) for row in reader]
    return rows[:limit]


def sample_workbook(spec: TaskSpec, limit: int | None = None) -> bytes:
    """Return an .xlsx with the task's headers and the first `limit` shipped rows (all of them by default)."""
    return write_workbook([column.header for column in spec.columns], sample_rows(spec, limit))
