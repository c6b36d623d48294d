"""All problems that a check wrote down, in the reader's language: as rows of a spreadsheet, as notes beside rows.

Read line by line: there may be 100,000, some 40 MB.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from bert_training.contract.enums import Split
from bert_training.data.checks import ALL_PROBLEMS, REPAIRED
from bert_training.data.writing.workbook import ColumnLook, write_rows
from bert_training.services.fix_words import fix_choices
from bert_training.tasks.intake import SourceFile

NOTES_A_ROW = 10  # more say nothing new: a row of tokens may have as many problems as tokens
WIDTHS = (24, 16, 8, 8, 20, 40, 60, 60, 40, 14)


def read_problems(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the problems that check_in_sandbox wrote to problems_path, without what repairs have done."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            problem = json.loads(line)
            if problem["code"] != REPAIRED:
                yield problem


def write_problem_sheet(problems_path: Path, target: Path, *, files: Mapping[Split, SourceFile]) -> None:
    """Write all problems as a spreadsheet."""
    header = (
        _("File"),
        _("Sheet"),
        _("Cell"),
        _("Row"),
        _("Column"),
        _("Value"),
        _("What is wrong"),
        _("How to repair it"),
        _("One-click repair"),
        _("Weight"),
    )
    looks = {position: ColumnLook(width) for position, width in enumerate(WIDTHS)}
    write_rows(target, header, rows=_problem_rows(problems_path, files), title=_("Problems"), looks=looks)


def _problem_rows(path: Path, files: Mapping[Split, SourceFile]) -> Iterator[tuple[str, ...]]:
    names = {"" if split == Split.TRAIN else split.value: file.display_name for split, file in files.items()}
    phrases, weights = Phrases(), {True: _("error"), False: _("warning")}
    count = 0
    for problem in read_problems(path):
        count += 1
        yield (
            names.get(problem["part"], ""),
            problem["sheet"],
            problem["cell"],
            "" if problem["row"] is None else str(problem["row"]),
            problem["column"],
            problem["excerpt"],
            phrases.fill(problem["message"], problem),
            phrases.fill(problem["repair"], problem),
            phrases.fix(problem),
            weights[problem["is_error"]],
        )
    if count >= ALL_PROBLEMS:
        end = _("The list ends here: it holds at most %(limit)s findings.") % {"limit": ALL_PROBLEMS}
        yield ("", "", "", "", "", "", end, "", "", "")


def row_notes(path: Path) -> dict[int, tuple[str, str]]:
    """Return row of the first file -> what is wrong with it and how to repair it, a line each."""
    phrases, offer = Phrases(), _("Offered by the portal: %(repair)s")
    wrong: defaultdict[int, list[str]] = defaultdict(list)
    repairs: defaultdict[int, list[str]] = defaultdict(list)
    for problem in read_problems(path):
        row, sentence = problem["row"], phrases.fill(problem["message"], problem)
        if row is None or problem["part"] or len(wrong[row]) >= NOTES_A_ROW:
            continue
        wrong[row].append(f"{problem['cell']}: {sentence}" if problem["cell"] else sentence)
        fix = phrases.fix(problem)
        repairs[row] += [phrases.fill(problem["repair"], problem), offer % {"repair": fix} if fix else ""]
    return {row: (_lines(found), _lines(repairs[row])) for row, found in wrong.items()}


def _lines(sentences: list[str]) -> str:
    """Write sentences below each other, those that are the same only once."""
    return "\n".join(sentence for sentence in dict.fromkeys(sentences) if sentence)


class Phrases:
    """Translates each sentence once for a whole list: 100,000 problems have some ten. Takes half of the time."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {"": ""}
        self._fixes = dict(fix_choices())

    def fill(self, message: str, problem: Mapping[str, Any]) -> str:
        """Return a message id in the reader's language, its places filled."""
        if message not in self._known:
            self._known[message] = _(message)
        filled: str = self._known[message] % problem["values"]
        return filled

    def fix(self, problem: Mapping[str, Any]) -> str:
        """Say which one-click repair mends a problem, "" where none does."""
        return self._fixes.get(problem["fix"], "")
