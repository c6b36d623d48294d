"""What is wrong with a spreadsheet: problems with sheet, cell, reason and repair, counted by code.

Sentences are English message ids with named places (`%(name)s`), translated by the portal when shown.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from bert_training.data.repairs import NOTHING, Fix, Recipe

SHOWN_PROBLEMS = 50

Values = dict[str, str | int]


@dataclass(frozen=True)
class Problem:
    """One finding. `message` and `repair` are message ids, `values` fills their places; row and cell may be absent.

    part: "" for the file itself, "validation" or "test" for one that was sent beside it.  excerpt: the start of the
    cell's value.  fix: the one-click repair (a name of data.repairs.Fix) that mends it, "" when there is none.
    """

    code: str
    message: str
    repair: str = ""
    values: Values = field(default_factory=dict)
    sheet: str = ""
    row: int | None = None
    column: str = ""
    cell: str = ""
    part: str = ""
    excerpt: str = ""
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


class DatasetRefused(Exception):
    """The file as a whole cannot be used; carries the one problem that says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message % problem.values)
        self.problem = problem


class Problems:
    """Collects errors and warnings: all are counted, the first SHOWN_PROBLEMS of each kind are kept.

    With Fix.LEAVE_OUT_BAD_ROWS in the recipe an error of one row becomes a warning: checks leave such rows out anyway.
    """

    def __init__(self, recipe: Recipe = NOTHING) -> None:
        self._leaves_out_rows = Fix.LEAVE_OUT_BAD_ROWS in recipe
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.counts: Counter[str] = Counter()
        self.error_count = 0

    def error(self, problem: Problem) -> None:
        """Note something that makes the dataset unusable until it is repaired."""
        if self._leaves_out_rows and problem.row is not None:
            self.warning(problem)
            return
        self.counts[problem.code] += 1
        self.error_count += 1
        if len(self.errors) < SHOWN_PROBLEMS:
            self.errors.append(problem)

    def warning(self, problem: Problem, *, count: int = 1) -> None:
        """Note something that the user should know; `count` cells share this one sentence."""
        self.counts[problem.code] += count
        if len(self.warnings) < SHOWN_PROBLEMS:
            self.warnings.append(problem)
