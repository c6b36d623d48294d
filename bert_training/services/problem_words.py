"""Says in the reader's language what a check found in a spreadsheet: where, what is wrong, how to repair it."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bert_training.contract.enums import Split
from bert_training.contract.wording import gettext_noop
from bert_training.data.checks import REPAIRED

PART_WORDS = {Split.VALIDATION: gettext_noop("validation file"), Split.TEST: gettext_noop("test file")}
HOLE = "…"  # stands where the values of a group's findings differ
SHOWN_AT_ONCE = 3
_PLACE = re.compile(r"%\((\w+)\)[sd]")


@dataclass(frozen=True)
class ShownProblem:
    """One finding in words. excerpt: the start of the cell's value.  is_in_row: it is about a row or a cell."""

    place: str
    sentence: str
    repair: str
    excerpt: str = ""
    is_in_row: bool = False


@dataclass(frozen=True)
class ShownGroup:
    """All findings of one kind: one sentence for them, how many there are, the first of them."""

    code: str
    is_error: bool
    count: int
    sentence: str
    repair: str
    problems: list[ShownProblem]

    @property
    def places(self) -> list[ShownProblem]:
        """The findings that name a row or a cell."""
        return [problem for problem in self.problems if problem.is_in_row]

    @property
    def first(self) -> list[ShownProblem]:
        """The findings to show at once."""
        return self.places[:SHOWN_AT_ONCE]

    @property
    def has_more(self) -> bool:
        """Tell whether others are known by their place."""
        return len(self.places) > SHOWN_AT_ONCE

    @property
    def unlisted(self) -> int:
        """How many there are beside those that are shown at once."""
        return self.count - max(1, len(self.first))

    @property
    def has_excerpts(self) -> bool:
        """Tell whether there is anything to show of the cells."""
        return any(problem.excerpt for problem in self.problems)

    @property
    def is_alike(self) -> bool:
        """Tell whether one sentence is true of all findings."""
        return all(problem.sentence == self.sentence for problem in self.problems)


def shown_problems(problems: Iterable[Mapping[str, Any]]) -> list[ShownProblem]:
    """Translate findings, as Problem.as_dict() or a stored report has them."""
    return [shown_problem(problem) for problem in problems]


def shown_problem(problem: Mapping[str, Any]) -> ShownProblem:
    """Translate one finding: `message` and `repair` are message ids with named places, `values` fills them."""
    return ShownProblem(
        place=_place(problem),
        sentence=_filled(problem["message"], problem),
        repair=_filled(problem["repair"], problem),
        excerpt=problem.get("excerpt", ""),
        is_in_row=problem["row"] is not None,
    )


def shown_groups(groups: Iterable[Mapping[str, Any]]) -> list[ShownGroup]:
    """Translate groups of findings, as ProblemGroup.as_dict() has them."""
    return [
        ShownGroup(
            code=group["code"],
            is_error=group["is_error"],
            count=group["count"],
            sentence=_common(group["problems"], "message"),
            repair=_common(group["problems"], "repair"),
            problems=shown_problems(group["problems"]),
        )
        for group in groups
        if group["code"] != REPAIRED
    ]


def shown_repairs(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say what the repairs of a recipe did."""
    done = [problem for group in groups if group["code"] == REPAIRED for problem in group["problems"]]
    return [problem.sentence for problem in shown_problems(done)]


def grouped(
    errors: Iterable[Mapping[str, Any]], warnings: Iterable[Mapping[str, Any]], counts: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Group the findings of a report that was stored before reports had groups."""
    groups: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for is_error, problems in ((True, errors), (False, warnings)):
        for problem in problems:
            groups.setdefault((problem["code"], is_error), []).append(problem)
    return [
        {
            "code": code,
            "is_error": is_error,
            "count": max(len(found), counts.get(code, 0)),
            "fix": "",
            "problems": found,
        }
        for (code, is_error), found in groups.items()
    ]


def _common(problems: Sequence[Mapping[str, Any]], part: str) -> str:
    """Write one sentence for all, with a hole where their values are not the same.

    Where findings of one code have different sentences it is the shortest, which says least of what only some share.
    """
    first = min(problems, key=lambda problem: len(problem[part]) or math.inf)
    if not first[part]:
        return ""
    values = {
        name: value if all(problem["values"].get(name) == value for problem in problems) else HOLE
        for name, value in first["values"].items()
    }
    sentence = _PLACE.sub(lambda place: str(values[place[1]]), _(first[part])).replace("%%", "%")
    return sentence.replace(f"{HOLE}.", HOLE)


def _filled(message: str, problem: Mapping[str, Any]) -> str:
    return _(message) % problem["values"] if message else ""


def _place(problem: Mapping[str, Any]) -> str:
    """Name the cell, else the row, else the column, else the sheet; before it the file, unless it is the first."""
    part, place = problem.get("part", ""), _place_in_file(problem)
    words = _(PART_WORDS[Split(part)]) if part else ""
    return f"{words}, {place}" if words and place else words or place


def _place_in_file(problem: Mapping[str, Any]) -> str:
    if problem["cell"]:
        return _("cell %(cell)s") % {"cell": problem["cell"]}
    if problem["row"] is not None:
        return _("row %(row)s") % {"row": problem["row"]}
    if problem["column"]:
        return _("column %(column)s") % {"column": problem["column"]}
    return str(problem["sheet"])
