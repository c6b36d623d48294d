"""Says in the reader's language what a check found in a spreadsheet: where, what is wrong, how to repair it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class ShownProblem:
    """One finding in words."""

    place: str
    sentence: str
    repair: str


def shown_problems(problems: Iterable[Mapping[str, Any]]) -> list[ShownProblem]:
    """Translate findings, as Problem.as_dict() or a stored report has them."""
    return [shown_problem(problem) for problem in problems]


def shown_problem(problem: Mapping[str, Any]) -> ShownProblem:
    """Translate one finding: `message` and `repair` are message ids with named places, `values` fills them."""
    return ShownProblem(
        place=_place(problem), sentence=_filled(problem["message"], problem), repair=_filled(problem["repair"], problem)
    )


def _filled(message: str, problem: Mapping[str, Any]) -> str:
    return _(message) % problem["values"] if message else ""


def _place(problem: Mapping[str, Any]) -> str:
    """Name the cell, else the row, else the column, else the sheet."""
    if problem["cell"]:
        return _("cell %(cell)s") % {"cell": problem["cell"]}
    if problem["row"] is not None:
        return _("row %(row)s") % {"row": problem["row"]}
    if problem["column"]:
        return _("column %(column)s") % {"column": problem["column"]}
    return str(problem["sheet"])
