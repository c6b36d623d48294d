"""Collecting problems: counted all, kept the first fifty of each code."""

import io
import json
from collections import Counter

import pytest

from bert_training.data import checks
from bert_training.data.checks import Problem, ProblemGroup, Problems
from bert_training.data.repairs import DONE, Fix


def at_row(row: int, code: str = "empty_cell") -> Problem:
    return Problem(code, "The cell is empty.", row=row)


def test_the_first_fifty_of_each_code_are_kept_and_all_counted() -> None:
    problems = Problems()
    problems.errors_at(range(80), at_row)
    problems.warnings_at(range(60), lambda row: at_row(row, "placeholder"))
    groups = [(group.code, group.is_error, group.count, len(group.problems)) for group in problems.groups]
    assert groups == [("empty_cell", True, 80, 50), ("placeholder", False, 60, 50)]
    assert (problems.error_count, problems.counts) == (80, {"empty_cell": 80, "placeholder": 60})


def test_one_by_one_or_all_at_once_is_the_same() -> None:
    one_by_one, at_once = Problems(), Problems()
    for row in range(70):
        one_by_one.error(at_row(row))
    at_once.errors_at(range(70), at_row)
    assert one_by_one.groups == at_once.groups


def test_what_is_not_kept_is_not_described() -> None:
    described = Counter[str]()

    def describe(row: int) -> Problem:
        described["rows"] += 1
        return at_row(row)

    Problems().warnings_at(range(1000), describe)
    assert described["rows"] == 50


def test_the_first_of_every_code_is_among_the_fifty() -> None:
    problems = Problems()
    problems.errors_at(range(80), at_row)
    problems.error(at_row(7, "label_too_long"))
    problems.errors_at(range(3), lambda row: at_row(row, "error_cell"))
    codes = [problem.code for problem in problems.errors]
    assert codes == ["empty_cell"] * 48 + ["label_too_long", "error_cell"]


def test_errors_stand_before_warnings() -> None:
    problems = Problems()
    problems.warning(at_row(2, "placeholder"))
    problems.error(at_row(3))
    assert [group.is_error for group in problems.groups] == [True, False]


def test_every_error_of_a_row_offers_to_leave_the_row_out() -> None:
    problems = Problems()
    problems.error(at_row(2))
    problems.error(Problem("one_class", "All rows have one label."))
    assert [problem.fix for problem in problems.errors] == ["leave_out_bad_rows", ""]
    assert [group.fix for group in problems.groups] == ["leave_out_bad_rows", ""]


def test_with_that_repair_they_are_warnings() -> None:
    problems = Problems(frozenset({Fix.LEAVE_OUT_BAD_ROWS}))
    problems.error(at_row(2))
    problems.errors_at([3, 4], at_row)
    problems.error(Problem("one_class", "All rows have one label."))
    groups = [(group.code, group.is_error, group.count) for group in problems.groups]
    assert groups == [("one_class", True, 1), ("empty_cell", False, 3)]


def test_every_problem_becomes_a_line_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "ALL_PROBLEMS", 100)
    lines = io.StringIO()
    problems = Problems(lines=lines)
    problems.errors_at(range(90), at_row)
    problems.warnings_at(range(90), lambda row: at_row(row, "placeholder"))
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["is_error"] for line in written] == [True] * 90 + [False] * 10
    assert Problem(**{name: value for name, value in written[0].items() if name != "is_error"}) == problems.errors[0]


def test_a_group_survives_json() -> None:
    problems = Problems()
    problems.errors_at(range(3), at_row)
    group = problems.groups[0]
    assert ProblemGroup.from_dict(json.loads(json.dumps(group.as_dict()))) == group


def test_each_repair_says_once_what_it_did() -> None:
    assert set(DONE) == set(Fix)
    problems = Problems()
    for fix, count in ((Fix.UNIFY_LABELS, 4), (Fix.FILL_MERGED, 0), (Fix.MEND_MOJIBAKE, 1), (Fix.UNIFY_LABELS, 2)):
        problems.repaired(fix, count)
    problems.warning(at_row(2, "placeholder"))
    problems.error(at_row(3))
    stated = [(problem.code, problem.fix, problem.values) for problem in problems.warnings[:-1]]
    assert stated == [("repaired", "mend_mojibake", {"count": 1}), ("repaired", "unify_labels", {"count": 6})]
    assert [(group.code, group.count) for group in problems.groups] == [
        ("empty_cell", 1),
        ("repaired", 7),
        ("placeholder", 1),
    ]
    assert problems.counts == {"empty_cell": 1, "repaired": 7, "placeholder": 1}
