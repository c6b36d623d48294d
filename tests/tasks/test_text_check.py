"""Judging rows of a text classification."""

from dataclasses import replace

import pytest

from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.repairs import Fix
from bert_training.data.table import PART_STRIDE, CellFlag, Cells, Columns
from bert_training.tasks.text_classification.check import check_texts
from bert_training.tasks.text_classification.spec import label_names, strata, summarize

Rows = list[tuple[str, str]]


def cells_of(rows: Rows) -> Cells:
    """Put rows into columns A and B from row 2 on."""
    texts = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    letters = {"text": "A", "label": "B"}
    return Cells("Dados", list(range(2, len(rows) + 2)), texts, {"text": "texto", "label": "label"}, letters)


def judge(rows: Rows, *recipe: Fix) -> tuple[Columns, Problems]:
    problems = Problems(frozenset(recipe))
    return check_texts(cells_of(rows), problems, frozenset(recipe)), problems


def mended(rows: Rows, *recipe: Fix) -> Rows:
    """Repair rows, and check that what was repaired is stated once and found no more."""
    table, problems = judge(rows, *recipe)
    assert sorted(problem.fix for problem in problems.warnings if problem.code == "repaired") == sorted(recipe)
    result = list(zip(table["text"], table["label"], strict=True))
    assert not [group for group in judge(result)[1].groups if group.fix in recipe]
    return result


def rows_of(*labels: str, each: int = 3) -> Rows:
    return [(f"o pedido {index} é de {label}", label) for label in labels for index in range(each)]


def found(problems: Problems) -> list[tuple[str, str]]:
    return [(problem.code, problem.cell) for problem in (*problems.errors, *problems.warnings)]


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
        ([(f"o pedido {index}", str(index)) for index in range(12)], "too_many_classes"),
        ([*rows_of("a", "b"), ("x", "c" * 501)], "label_too_long"),
    ],
)
def test_classes_that_cannot_be_learned_are_refused(rows: Rows, code: str) -> None:
    _, problems = judge(rows)
    assert {problem.code for problem in problems.errors} == {code}


def test_a_thousand_classes_are_taken() -> None:
    _, problems = judge(rows_of(*map(str, range(1000))))
    assert problems.error_count == 0


def test_each_row_of_a_small_class_is_named() -> None:
    rows = [*rows_of("a", "b"), ("x", "rara"), ("y", "única "), ("z", "única ")]
    _, problems = judge(rows)
    assert found(problems) == [("class_too_small", cell) for cell in ("B8", "B9", "B10")]
    assert problems.errors[1].values == {"count": 2, "label": "única ", "needed": 3}
    assert mended(rows, Fix.LEAVE_OUT_RARE_CLASSES) == rows_of("a", "b")


def test_rows_of_small_classes_are_bad_rows_too() -> None:
    table, problems = judge([*rows_of("a", "b"), ("x", "rara"), ("", "a")], Fix.LEAVE_OUT_BAD_ROWS)
    assert (table["row"], problems.error_count) == ([2, 3, 4, 5, 6, 7], 0)
    assert problems.counts == {"empty_cell": 1, "class_too_small": 1, "repaired": 2}


def test_one_class_left_by_a_repair_is_refused() -> None:
    rows = [*rows_of("a"), ("x", "rara")]
    for fix in (Fix.LEAVE_OUT_BAD_ROWS, Fix.LEAVE_OUT_RARE_CLASSES):
        assert [problem.code for problem in judge(rows, fix)[1].errors] == ["one_class"]


@pytest.mark.parametrize("other", ["NÃO", "não ", "na\u0303o", "\u00a0não", "Não", "nao", "n\u200bão"])
def test_cells_with_the_rarer_of_two_spellings_are_named(other: str) -> None:
    rows = [*rows_of("não", "sim", each=4), *[(f"outro pedido {index}", other) for index in range(3)]]
    _, problems = judge(rows)
    assert found(problems) == [("similar_labels", cell) for cell in ("B10", "B11", "B12")]
    assert problems.warnings[0].values == {"label": other, "count": 3, "usual": "não", "usual_count": 4}
    assert [label for _, label in mended(rows, Fix.UNIFY_LABELS)].count("não") == 7


def test_a_spelling_with_too_few_rows_for_a_class_is_an_error() -> None:
    rows = [*rows_of("não", "sim"), ("outro pedido", "Não")]
    _, problems = judge(rows)
    assert [(problem.code, problem.cell) for problem in problems.errors] == [("similar_labels", "B8")]
    assert [label for _, label in mended(rows, Fix.UNIFY_LABELS)].count("não") == 4
    assert judge(rows, Fix.LEAVE_OUT_BAD_ROWS)[0]["label"].count("não") == 3


def test_of_two_spellings_as_frequent_the_first_by_code_points_stays() -> None:
    assert {label for _, label in mended(rows_of("não", "Não", "sim"), Fix.UNIFY_LABELS)} == {"Não", "sim"}


def test_words_that_mean_nothing_to_a_computer_are_labels() -> None:
    table, problems = judge(rows_of("NA", "null", "None", "nan", "0"))
    assert (problems.error_count, problems.warnings) == (0, [])
    assert label_names(table) == ["0", "NA", "None", "nan", "null"]


@pytest.mark.parametrize(
    "text", ["-", "...", "n/a", "N/A", "xxx", "XXXX", "Teste", "teste.", "sem texto", "null", "(nan)"]
)
def test_placeholders_are_pointed_out(text: str) -> None:
    table, problems = judge([*rows_of("a", "b"), (text, "a")])
    assert found(problems) == [("placeholder_text", "A8")]
    assert len(table["row"]) == 7


@pytest.mark.parametrize("text", [":)", "!!!", "ok", "nada", "testei ontem", "1", "x", "👍👍👍", "x" * 25])
def test_short_texts_are_no_placeholders(text: str) -> None:
    assert judge([*rows_of("a", "b"), (text, "a")])[1].warnings == []


@pytest.mark.parametrize("text", ["#N/A", "#N/D", "#REF!", "#VALOR!", "#DIV/0! "])
def test_errors_that_were_exported_as_text_are_errors(text: str) -> None:
    assert found(judge([*rows_of("a", "b"), (text, "a")])[1]) == [("error_cell", "A8")]


def test_copies_and_contradictions_name_the_other_row() -> None:
    first = rows_of("a", "b")
    rows = [*first, first[0], (first[0][0], "b"), (first[1][0], "b")]
    _, problems = judge(rows)
    contradicting = [("conflicting_labels", cell) for cell in ("B2", "B3", "B8", "B9", "B10")]
    assert found(problems) == [*contradicting, ("duplicate_texts", "A8")]
    assert problems.warnings[-1].values == {"first": 2}
    others = [problem.values["others"] for problem in problems.warnings[:5]]
    assert others == ['"b" (B9)', '"b" (B10)', '"b" (B9)', '"a" (B2)', '"a" (B3)']
    assert mended(rows, Fix.LEAVE_OUT_DUPLICATES) == [*rows[:6], *rows[7:]]


def test_all_rows_of_a_contradiction_are_left_out() -> None:
    rows = [*rows_of("a", "b", each=5), (rows_of("a")[0][0], "b")]
    assert mended(rows, Fix.LEAVE_OUT_CONTRADICTIONS) == rows[1:-1]


def test_of_copies_in_several_files_the_one_for_validation_stays() -> None:
    rows = rows_of("a", "b")
    cells = cells_of([*rows, rows[0]])
    other = cells_of(rows)
    joined = replace(cells, rows=[*cells.rows[:6], PART_STRIDE + 2], parts={1: other})
    problems, recipe = Problems(), frozenset({Fix.LEAVE_OUT_DUPLICATES})
    check_texts(joined, problems)
    problem = problems.warnings[0]
    assert (problem.part, problem.cell, problem.values) == ("", "A2", {"first": 2})
    assert "another file" in problem.message
    assert check_texts(joined, Problems(recipe), recipe)["row"] == [3, 4, 5, 6, 7, PART_STRIDE + 2]


def test_swapped_columns_are_said_once_and_nothing_else() -> None:
    rows = [(label, text) for text, label in rows_of("a", "b", each=30)]
    with pytest.raises(DatasetRefused) as refusal:
        judge(rows)
    assert (refusal.value.problem.code, refusal.value.problem.fix) == ("swapped_columns", "swap_columns")


@pytest.mark.parametrize(
    "rows",
    [
        rows_of("a", "b", each=30),
        [(f"{index % 9}", f"uma das classes, a {index % 4}") for index in range(40)],
        [(f"pedido {index}", f"classe de nome comprido número {index % 10}") for index in range(40)],
    ],
)
def test_long_labels_alone_are_not_swapped_columns(rows: Rows) -> None:
    judge(rows)


def test_each_reason_has_its_code_and_repair() -> None:
    cells = cells_of([*rows_of("a", "b"), ("", "a"), ("", "a"), ("", "a"), ("x" * 40_000, "a")])
    flags = [CellFlag.ERROR, CellFlag.FORMULA, CellFlag.MERGED, CellFlag.TOO_LONG]
    flagged = replace(cells, flags={("text", 6 + place): flag for place, flag in enumerate(flags)})
    problems = Problems()
    assert len(check_texts(flagged, problems)["row"]) == 6
    assert sorted((problem.code, problem.cell, problem.fix) for problem in problems.errors) == [
        ("cell_too_long", "A11", "leave_out_bad_rows"),
        ("error_cell", "A8", "leave_out_bad_rows"),
        ("formula_without_value", "A9", "leave_out_bad_rows"),
        ("merged_cells", "A10", "fill_merged"),
    ]


def test_bad_rows_are_left_out_on_demand() -> None:
    rows = [*rows_of("a", "b"), ("", "a"), ("t", ""), ("u", "c" * 501)]
    assert mended(rows, Fix.LEAVE_OUT_BAD_ROWS) == rows[:6]


def test_personal_data_are_masked_on_demand() -> None:
    rows = [*rows_of("a", "b"), ("ligue para maria@exemplo.com.br", "a")]
    assert mended(rows, Fix.MASK_PERSONAL_DATA)[-1] == ("ligue para [E-MAIL]", "a")


def test_the_order_of_repairs_changes_nothing() -> None:
    rows = [*rows_of("não", "sim", each=4), ("x", "Não"), ("x", "não"), ("y", "rara"), ("", "sim"), ("x", "sim")]
    recipe = [Fix.UNIFY_LABELS, Fix.LEAVE_OUT_DUPLICATES, Fix.LEAVE_OUT_CONTRADICTIONS, Fix.LEAVE_OUT_RARE_CLASSES]
    assert judge(rows, *recipe)[0] == judge(rows, *reversed(recipe))[0]


def test_a_problem_has_an_excerpt_of_its_cell() -> None:
    _, problems = judge([*rows_of("a", "b"), ("\u00a0", "a"), ("teste", "b")])
    problem: Problem = problems.warnings[0]
    assert (problem.sheet, problem.row, problem.column, problem.excerpt) == ("Dados", 9, "texto", "teste")
