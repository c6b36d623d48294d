"""Rows find their earlier selves: by id through sorting, deleting and copying, then by text."""

import random

import pytest

from bert_training.data.table import Columns
from bert_training.data.writing.own_columns import read_row_id, row_id
from bert_training.data.writing.row_match import Continuation, compare, continued_file, corrected_rows, match_rows

SHA = "0123456789abcdef" * 4
FILE = SHA[:12]
OLD: Columns = {"row": [2, 3, 5, 6], "text": ["a", "b", "c", "c"], "label": ["x", "y", "x", "y"]}


def table(*rows: tuple[int | str, str, str]) -> Columns:
    """Make a table of rows (row of the old file or an id, text, label)."""
    ids = [row_id(SHA, known) if isinstance(known, int) else known for known, _, _ in rows]
    columns = [[row[at] for row in rows] for at in (1, 2)]
    return {"row": list(range(2, 2 + len(rows))), "text": columns[0], "label": columns[1], "row_id": ids}


def partners(*rows: tuple[int | str, str, str]) -> list[int | None]:
    return match_rows(table(*rows), OLD, file=FILE, text="text")[0]


def test_an_id_names_file_and_row() -> None:
    assert read_row_id(row_id(SHA, 17)) == (FILE, 17)


@pytest.mark.parametrize("text", ["", "17", f"{FILE}:", f"{FILE}:x", f"={FILE}:1", f"{FILE[:-1]}:1", f"{FILE}:1\n"])
def test_what_is_no_id_is_passed_over(text: str) -> None:
    assert read_row_id(text) is None


def test_sorted_and_deleted_rows_are_found_by_their_id() -> None:
    assert partners((6, "c", "y"), (2, "a", "x"), (5, "c", "x")) == [3, 0, 2]


def test_a_changed_text_keeps_its_row() -> None:
    assert partners((3, "something else", "y")) == [1]


def test_of_a_copied_row_the_first_is_the_row_itself() -> None:
    assert partners((2, "a", "x"), (2, "a, copied and changed", "x")) == [0, None]


def test_of_a_copied_row_the_one_with_the_old_text_is_the_row_itself() -> None:
    assert partners((2, "a, copied and changed", "x"), (2, "a", "x")) == [None, 0]


def test_ids_that_were_left_behind_when_only_the_texts_were_sorted_mislead_nobody() -> None:
    assert partners((2, "b", "y"), (3, "a", "x"), (5, "c", "x")) == [1, 0, 2]


def test_rows_without_an_id_are_found_by_their_text_once_each() -> None:
    assert partners(("", "c", "x"), ("", "c", "x"), ("", "c", "x"), ("", "b", "y")) == [2, 3, None, 1]


def test_an_id_goes_before_the_same_text() -> None:
    assert partners(("", "c", "x"), (5, "c", "x")) == [3, 2]


def test_an_id_of_another_file_says_nothing() -> None:
    assert partners(("ffffffffffff:2", "new", "x")) == [None]


def test_lists_of_tokens_are_matched_as_well() -> None:
    old: Columns = {"row": [2], "tokens": [["a", "b"]], "tags": [["O", "O"]]}
    new: Columns = {"row": [9], "tokens": [["a", "b"]], "tags": [["O", "B-X"]]}
    found, pairs = compare(new, old, file=FILE, text="tokens", answer="tags")
    assert (found.kept, found.answer_changed, found.by_text) == (1, 1, 1)
    assert corrected_rows(new["tags"], old["tags"], pairs) == [0]


def test_what_has_changed_is_counted() -> None:
    new = table((5, "c", "z"), (2, "A", "x"), ("", "b", "y"), ("", "new", "x"))
    expected = Continuation(kept=3, text_changed=1, answer_changed=1, deleted=1, added=1, by_id=2, by_text=1)
    found, pairs = compare(new, OLD, file=FILE, text="text", answer="label")
    assert found == expected
    assert corrected_rows(new["label"], OLD["label"], pairs) == [0]


@pytest.mark.parametrize(
    ("old", "new", "corrected"),
    [
        ("xxy", "zzy", []),  # x is called z now
        ("xxy", "yyy", [0, 1]),
        ("xxy", "zxy", [0]),
        ("xxy", "zzz", [0, 1, 2]),  # two labels became one: which of them was meant nobody can tell
        ("xxy", "yyx", [0, 1, 2]),
    ],
)
def test_a_label_that_only_has_another_name_was_not_corrected(old: str, new: str, corrected: list[int]) -> None:
    assert corrected_rows(list(new), list(old), [(0, 0), (1, 1), (2, 2)]) == corrected


def test_what_was_corrected_before_stays_corrected() -> None:
    assert corrected_rows(["x", "y"], ["y", "x"], [(0, 1), (1, 0)], earlier={1}) == [0]


def test_the_file_that_most_rows_come_from_is_continued() -> None:
    assert continued_file(["", f"{FILE}:1", "ffffffffffff:1", f"{FILE}:2"]) == FILE
    assert continued_file(["", "x"]) is None


def test_any_shuffle_of_any_rows_is_undone() -> None:
    rows = list(range(2, 2002))
    old: Columns = {"row": rows, "text": [f"text {row % 50}" for row in rows], "label": ["x"] * len(rows)}
    kept = random.Random(7).sample(rows, 1500)
    new = table(*((row, f"text {row % 50}", "x") for row in kept))
    assert match_rows(new, old, file=FILE, text="text") == ([row - 2 for row in kept], 1500)
