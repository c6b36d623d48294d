"""Findings in words: one sentence for a group, with a hole where its findings differ; places name the file."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.translation import override

from bert_training.data.checks import REPAIRED, Problem, Problems
from bert_training.services.problem_words import grouped, shown_groups, shown_problem, shown_repairs

REPEATED = "The text repeats row %(row)d."
LONG = "The cell has %(length)d characters; at most %(limit)d are taken."


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with override("en"):
        yield


def groups_of(*found: Problem) -> list[dict[str, Any]]:
    problems = Problems()
    for problem in found:
        problems.error(problem)
    return [group.as_dict() for group in problems.groups]


def at(number: int, message: str, /, **values: int) -> Problem:
    return Problem("code", message, values=dict(values), row=number, cell=f"A{number}", excerpt=f"valor {number}")


def test_findings_that_are_alike_have_their_own_sentence() -> None:
    (group,) = shown_groups(groups_of(*(at(row, REPEATED, row=12) for row in range(2, 7))))
    assert (group.sentence, group.is_alike, group.count) == ("The text repeats row 12.", True, 5)
    assert [problem.place for problem in group.first] == ["cell A2", "cell A3", "cell A4"]
    assert (group.has_more, group.unlisted, group.first[0].excerpt) == (True, 2, "valor 2")


def test_what_differs_between_findings_is_a_hole_in_their_sentence() -> None:
    (group,) = shown_groups(groups_of(at(2, REPEATED, row=12), at(3, REPEATED, row=40)))
    assert (group.sentence, group.is_alike) == ("The text repeats row …", False)
    (long,) = shown_groups(groups_of(at(2, LONG, length=40, limit=30), at(3, LONG, length=50, limit=30)))
    assert long.sentence == "The cell has … characters; at most 30 are taken."


def test_a_group_of_different_sentences_says_only_what_is_true_of_all() -> None:
    other = at(2, "The text repeats row %(row)d of another file.", row=12)
    (group,) = shown_groups(groups_of(other, at(3, REPEATED, row=40)))
    assert group.sentence == "The text repeats row …"


def test_a_finding_without_a_row_is_no_place() -> None:
    (group,) = shown_groups(groups_of(Problem("missing_column", "There is no column.", column="texto")))
    assert (group.places, group.has_more, group.unlisted, group.has_excerpts) == ([], False, 0, False)


def test_a_place_in_another_file_names_the_file() -> None:
    problem = Problem("code", "wrong", row=2, cell="A2", part="test")
    assert shown_problem(problem.as_dict()).place == "test file, cell A2"


def test_what_repairs_did_is_told_apart_from_what_is_wrong() -> None:
    groups = groups_of(at(2, REPEATED, row=12))
    groups.append({**groups[0], "code": REPAIRED, "is_error": False})
    assert [group.code for group in shown_groups(groups)] == ["code"]
    assert shown_repairs(groups) == ["The text repeats row 12."]


def test_reports_stored_before_there_were_groups_are_grouped() -> None:
    errors = [at(row, REPEATED, row=1).as_dict() for row in (2, 3)]
    groups = grouped(errors, [Problem("other", "odd").as_dict()], {"code": 70})
    assert [(group["code"], group["is_error"], group["count"]) for group in groups] == [
        ("code", True, 70),
        ("other", False, 1),
    ]
    assert len(shown_groups(groups)) == 2
