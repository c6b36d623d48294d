"""Which rows of two tables differ: by number and column, never by what stands there."""

from typing import Any

from bert_training.data.table_changes import CHANGES_NAMED, table_changes


def table(**changes: Any) -> dict[str, list[Any]]:
    """Return a table of three rows."""
    return {"row": [2, 3, 4], "text": ["a", "b", "c"], "label": ["x", "y", "x"], **changes}


def test_equal_tables_have_no_changes_in_whatever_order_their_rows_stand() -> None:
    turned = {name: values[::-1] for name, values in table().items()}
    assert table_changes(table(), turned) == {"count": 0, "changes": []}


def test_a_changed_cell_an_added_and_a_missing_row_are_named() -> None:
    other = table(row=[2, 3, 5], label=["x", "z", "x"])
    assert table_changes(table(), other)["changes"] == [
        {"row": 3, "column": "label", "kind": "changed"},
        {"row": 4, "column": "", "kind": "missing"},
        {"row": 5, "column": "", "kind": "added"},
    ]


def test_a_column_that_only_one_has_is_named_once_and_ids_of_downloads_are_no_change() -> None:
    other = table(group=["1", "1", "2"], row_id=["f:2", "f:3", "f:4"])
    assert table_changes(table(), other)["changes"] == [{"row": None, "column": "group", "kind": "added"}]


def test_all_changes_are_counted_and_the_first_named() -> None:
    rows = list(range(2, 102))
    first, second = (table(row=rows, text=[word] * 100, label=["x"] * 100) for word in "ab")
    found = table_changes(first, second)
    assert (found["count"], len(found["changes"]), found["changes"][0]["row"]) == (100, CHANGES_NAMED, 2)
