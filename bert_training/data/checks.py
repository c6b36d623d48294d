"""What is wrong with a spreadsheet: problems with sheet, cell, reason and repair, grouped and counted by code.

Sentences are English message ids with named places (`%(name)s`), translated by the portal when shown.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TextIO

from bert_training.data.repairs import DONE, NOTHING, Fix, Recipe

SHOWN_PROBLEMS = 50
ALL_PROBLEMS = 100_000  # lines of a list of all problems: some 40 MB

REPAIRED = "repaired"  # the code of what repairs did

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
        """Return plain JSON values; dataclasses.asdict takes six times as long, and there may be 100,000."""
        return {**vars(self), "values": dict(self.values)}


@dataclass
class ProblemGroup:
    """All findings of one code: how many there are, the first SHOWN_PROBLEMS, and the repair that mends them."""

    code: str
    is_error: bool
    count: int = 0
    fix: str = ""
    problems: list[Problem] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**vars(self), "problems": [problem.as_dict() for problem in self.problems]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what as_dict wrote."""
        return cls(**{**values, "problems": [Problem(**problem) for problem in values["problems"]]})


class DatasetRefused(Exception):
    """The file as a whole cannot be used; carries the one problem that says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message % problem.values)
        self.problem = problem


class Problems:
    """Collects errors and warnings: all are counted, the first SHOWN_PROBLEMS of each code are kept.

    With Fix.LEAVE_OUT_BAD_ROWS in the recipe an error of one row becomes a warning: checks leave such rows out anyway.
    lines: where every problem is written as well, one JSON object a line, ALL_PROBLEMS at most.
    part: the file of the upload that is being read, for problems that do not name one.
    """

    def __init__(self, recipe: Recipe = NOTHING, *, lines: TextIO | None = None) -> None:
        self._leaves_out_rows = Fix.LEAVE_OUT_BAD_ROWS in recipe
        self._groups: dict[tuple[str, bool], ProblemGroup] = {}
        self._kept: list[tuple[ProblemGroup, Problem]] = []
        self._lines = lines
        self._lines_left = ALL_PROBLEMS
        self._repaired: Counter[Fix] = Counter()
        self.part = ""
        self.counts: Counter[str] = Counter()

    @property
    def groups(self) -> list[ProblemGroup]:
        """Errors first, then what repairs did, then warnings in the order in which they were found."""
        groups = sorted(self._groups.values(), key=lambda group: not group.is_error)
        first_warning = sum(group.is_error for group in groups)
        return [*groups[:first_warning], *self._repairs(), *groups[first_warning:]]

    @property
    def error_count(self) -> int:
        """How many errors there are, over all codes."""
        return sum(group.count for group in self._groups.values() if group.is_error)

    @property
    def errors(self) -> list[Problem]:
        """The first SHOWN_PROBLEMS errors, the first one of every code always among them."""
        return self._first(is_error=True)

    @property
    def warnings(self) -> list[Problem]:
        """What repairs did, and the first SHOWN_PROBLEMS warnings, the first one of every code always among them."""
        return [problem for group in self._repairs() for problem in group.problems] + self._first(is_error=False)

    def error(self, problem: Problem) -> None:
        """Note something that makes the dataset unusable until it is repaired."""
        self._note(self._group(problem.code, self._is_error(problem)), problem)

    def refusal(self, problem: Problem) -> None:
        """Note why a file is refused as a whole: also where that names a row, no repair leaves it out."""
        self._note(self._group(problem.code, is_error=True), problem, is_of_row=False)

    def warning(self, problem: Problem, *, count: int = 1) -> None:
        """Note something that the user should know; `count` cells share this one sentence."""
        self._note(self._group(problem.code, is_error=False), problem, count=count)

    def errors_at(self, indexes: Sequence[int], describe: Callable[[int], Problem]) -> None:
        """Note an error for each of these cells; `describe` must give all of them the same code."""
        self._note_all(indexes, describe, is_error=True)

    def warnings_at(self, indexes: Sequence[int], describe: Callable[[int], Problem]) -> None:
        """Note a warning for each of these cells; `describe` must give all of them the same code."""
        self._note_all(indexes, describe, is_error=False)

    def repaired(self, fix: Fix, count: int) -> None:
        """Note what a repair of the recipe did: it is stated once, so that nothing is changed in silence."""
        if count:
            self._repaired[fix] += count
            self.counts[REPAIRED] += count

    def _note_all(self, indexes: Sequence[int], describe: Callable[[int], Problem], *, is_error: bool) -> None:
        """Describe only what is kept: of 100,000 equal findings all but 50 cost no more than their count."""
        if not indexes:
            return
        first = describe(indexes[0])
        group = self._group(first.code, is_error and self._is_error(first))
        self._note(group, first)
        wanted = len(indexes) - 1
        if self._lines is None:
            wanted = min(wanted, SHOWN_PROBLEMS - len(group.problems))
        for index in indexes[1 : 1 + wanted]:
            self._note(group, describe(index))
        self._count(group, len(indexes) - 1 - wanted)

    def _note(self, group: ProblemGroup, problem: Problem, *, count: int = 1, is_of_row: bool = True) -> None:
        if self.part and not problem.part:
            problem = replace(problem, part=self.part)
        if is_of_row and group.is_error and problem.row is not None and not problem.fix:
            problem = replace(problem, fix=Fix.LEAVE_OUT_BAD_ROWS.value)
        group.fix = group.fix or problem.fix
        self._count(group, count)
        if len(group.problems) < SHOWN_PROBLEMS:
            group.problems.append(problem)
            self._kept.append((group, problem))
        if self._lines is not None and self._lines_left:
            self._lines_left -= 1
            line = {**vars(problem), "is_error": group.is_error}
            self._lines.write(json.dumps(line) + "\n")

    def _count(self, group: ProblemGroup, count: int) -> None:
        group.count += count
        self.counts[group.code] += count

    def _group(self, code: str, is_error: bool) -> ProblemGroup:
        return self._groups.setdefault((code, is_error), ProblemGroup(code, is_error))

    def _is_error(self, problem: Problem) -> bool:
        return problem.row is None or not self._leaves_out_rows

    def _repairs(self) -> list[ProblemGroup]:
        done = [
            Problem(REPAIRED, DONE[fix], values={"count": self._repaired[fix]}, fix=fix.value)
            for fix in Fix
            if fix in self._repaired
        ]
        return [ProblemGroup(REPAIRED, False, self._repaired.total(), problems=done)] if done else []

    def _first(self, *, is_error: bool) -> list[Problem]:
        """Keep the order in which they were found; what is too many goes from the end, but no code goes whole."""
        kept = [(group, problem) for group, problem in self._kept if group.is_error == is_error]
        too_many = len(kept) - SHOWN_PROBLEMS
        chosen: list[Problem] = []
        for group, problem in reversed(kept):
            if too_many > 0 and problem is not group.problems[0]:
                too_many -= 1
            else:
                chosen.append(problem)
        return chosen[::-1]


@contextmanager
def open_lines(path: Path | str | None) -> Iterator[TextIO | None]:
    """Open the list of all problems for as long as the block runs; None where nobody wants one."""
    if path is None:
        yield None
    else:
        with Path(path).open("w", encoding="utf-8") as lines:
            yield lines
