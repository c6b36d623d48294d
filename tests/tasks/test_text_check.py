"""Judging rows of a text classification."""

import pytest

from bert_training.data.checks import Problems
from bert_training.data.table import Cells, Columns
from bert_training.tasks.text_classification.check import check_texts
from bert_training.tasks.text_classification.spec import label_names, strata, summarize

Rows = list[tuple[str, str]]


def judge(rows: Rows) -> tuple[Columns, Problems]:
    """Check rows as if they stood in columns A and B from row 2 on."""
    problems = Problems()
    texts = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    letters = {"text": "A", "label": "B"}
    cells = Cells("Dados", list(range(2, len(rows) + 2)), texts, {"text": "texto", "label": "label"}, letters)
    return check_texts(cells, problems), problems


def rows_of(*labels: str, each: int = 3) -> Rows:
    return [(f"{label} {index}", label) for label in labels for index in range(each)]


def test_good_rows_pass_without_a_word() -> None:
    table, problems = judge(rows_of("b", "a"))
    assert (problems.error_count, problems.warnings) == (0, [])
    assert table["row"] == [2, 3, 4, 5, 6, 7]
    assert label_names(table) == ["a", "b"]
    assert strata(table) == ["b"] * 3 + ["a"] * 3
    assert summarize(table)["labels"] == {"a": 3, "b": 3}


def test_rows_with_blank_cells_are_errors_and_left_out() -> None:
    table, problems = judge([*rows_of("a", "b"), ("", "a"), ("x", "\u00a0"), (" ", " ")])
    assert problems.counts == {"empty_cell": 4}
    assert [problem.cell for problem in problems.errors] == ["A8", "A10", "B9", "B10"]
    assert len(table["row"]) == 6


def test_all_errors_are_counted_and_fifty_shown() -> None:
    _, problems = judge([*rows_of("a", "b"), *[("", "a")] * 80])
    assert (problems.counts["empty_cell"], len(problems.errors)) == (80, 50)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (rows_of("a"), "one_class"),
        ([*rows_of("a", "b"), ("x", "c"), ("y", "c")], "class_too_small"),
        (rows_of(*map(str, range(1001))), "too_many_classes"),
        ([*rows_of("a", "b"), ("x", "c" * 501)], "label_too_long"),
    ],
)
def test_classes_that_cannot_be_learned_are_refused(rows: Rows, code: str) -> None:
    _, problems = judge(rows)
    assert [problem.code for problem in problems.errors] == [code]


def test_a_thousand_classes_are_taken() -> None:
    _, problems = judge(rows_of(*map(str, range(1000))))
    assert problems.error_count == 0


def test_small_classes_are_named_with_their_rows() -> None:
    _, problems = judge([*rows_of("a", "b"), ("x", "rara"), ("y", "única "), ("z", "única ")])
    assert problems.errors[0].values["labels"] == '"rara" (1), "única " (2)'


@pytest.mark.parametrize("other", ["NÃO", "não ", "na\u0303o", "\u00a0não", "Não"])
def test_labels_that_look_alike_are_pointed_out(other: str) -> None:
    _, problems = judge(rows_of("não", other, "sim"))
    assert [problem.code for problem in problems.warnings] == ["similar_labels"]
    assert f'"{other}" (3)'.replace("\u00a0", "\u00a0") in str(problems.warnings[0].values["labels"])


def test_labels_that_differ_are_no_pair() -> None:
    assert judge(rows_of("nao", "não"))[1].warnings == []


def test_words_that_mean_nothing_to_a_computer_are_labels() -> None:
    table, problems = judge(rows_of("NA", "null", "None", "nan", "0"))
    assert problems.error_count == 0
    assert label_names(table) == ["0", "NA", "None", "nan", "null"]


def test_repeated_and_contradicting_texts_are_counted() -> None:
    _, problems = judge([*rows_of("a", "b"), ("a 0", "a"), ("a 0", "b"), ("a 1", "b")])
    assert problems.counts == {"duplicate_texts": 3, "conflicting_labels": 2}
