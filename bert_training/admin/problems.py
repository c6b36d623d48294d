"""Says in the reader's language what a check found in a spreadsheet: where, what is wrong, how to repair it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class ShownProblem:
    """One line of the list under the upload form."""

    place: str
    sentence: str
    repair: str


def shown_problems(problems: Iterable[Mapping[str, Any]]) -> list[ShownProblem]:
    """Translate each problem (as its as_dict() or the stored report has it) and name its cell, row, column or sheet."""
    return [
        ShownProblem(_place(problem), _filled(problem["message"], problem), _filled(problem["repair"], problem))
        for problem in problems
    ]


def _filled(message: str, problem: Mapping[str, Any]) -> str:
    return _(message) % problem["values"] if message else ""


def _place(problem: Mapping[str, Any]) -> str:
    if problem["cell"]:
        return f"{problem['sheet']}!{problem['cell']}" if problem["sheet"] else str(problem["cell"])
    if problem["row"] is not None:
        return _("row %(row)s") % {"row": problem["row"]}
    return str(problem["column"] or problem["sheet"])
