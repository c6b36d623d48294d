"""Which rows of two canonical tables differ, and in which column; never what stands there."""

from typing import Any, TypedDict

from bert_training.data.table import ROW, ROW_ID, Columns

CHANGES_NAMED = 20


class RowChange(TypedDict):
    """kind: "changed", or "added" or "missing" in the second table. column: "" where the whole row is.

    row: None where a whole column is added or missing.
    """

    row: int | None
    column: str
    kind: str


class TableChanges(TypedDict):
    """count: of all changes.  changes: the first CHANGES_NAMED of them, by row."""

    count: int
    changes: list[RowChange]


def table_changes(first: Columns, second: Columns) -> TableChanges:
    """Compare two tables row by row, by their numbers. What an earlier download wrote beside a row is no change."""
    changes = [*_column_changes(first, second), *_row_changes(first, second)]
    return {"count": len(changes), "changes": changes[:CHANGES_NAMED]}


def _column_changes(first: Columns, second: Columns) -> list[RowChange]:
    added: list[RowChange] = [{"row": None, "column": name, "kind": "added"} for name in second if name not in first]
    missing: list[RowChange] = [
        {"row": None, "column": name, "kind": "missing"} for name in first if name not in second
    ]
    return [change for change in (*added, *missing) if change["column"] != ROW_ID]


def _row_changes(first: Columns, second: Columns) -> list[RowChange]:
    names = [name for name in first if name in second and name not in (ROW, ROW_ID)]
    before, after = _by_row(first, names), _by_row(second, names)
    changes: list[RowChange] = []
    for row in sorted(before.keys() | after.keys()):
        if row not in after or row not in before:
            changes.append({"row": row, "column": "", "kind": "missing" if row in before else "added"})
        elif before[row] != after[row]:
            pairs = zip(names, before[row], after[row], strict=True)
            changes += [{"row": row, "column": name, "kind": "changed"} for name, old, new in pairs if old != new]
    return changes


def _by_row(table: Columns, names: list[str]) -> dict[int, tuple[Any, ...]]:
    values = zip(*(table[name] for name in names), strict=True) if names else iter([()] * len(table[ROW]))
    return dict(zip(table[ROW], values, strict=True))
