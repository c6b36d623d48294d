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
from bert_training.data.checks import ALL_PROBLEMS
from bert_training.data.workbook import ColumnLook, write_rows
from bert_training.services.fix_words import fix_label
from bert_training.services.problem_words import shown_problem
from bert_training.tasks.intake import SourceFile

DONE_CODE = "repaired"  # of findings that only state what a repair did
NOTES_A_ROW = 10  # more say nothing new: a row of tokens may have as many problems as tokens
WIDTHS = (24, 16, 8, 8, 20, 40, 60, 60, 40, 14)


def read_problems(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the problems that check_in_sandbox wrote to problems_path, without what repairs have done."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            problem = json.loads(line)
            if problem["code"] != DONE_CODE:
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
    weights = {True: _("error"), False: _("warning")}
    count = 0
    for count, problem in enumerate(read_problems(path), start=1):  # noqa: B007 - how many there were, below
        shown = shown_problem(problem)
        yield (
            names.get(problem["part"], ""),
            problem["sheet"],
            problem["cell"],
            "" if problem["row"] is None else str(problem["row"]),
            problem["column"],
            problem["excerpt"],
            shown.sentence,
            shown.repair,
            fix_label(problem["fix"]) if problem["fix"] else "",
            weights[problem["is_error"]],
        )
    if count >= ALL_PROBLEMS:
        end = _("The list ends here: it holds at most %(limit)s findings.") % {"limit": ALL_PROBLEMS}
        yield ("", "", "", "", "", "", end, "", "", "")


def row_notes(path: Path) -> dict[int, tuple[str, str]]:
    """Return row of the first file -> what is wrong with it and how to repair it, a line each."""
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for problem in read_problems(path):
        if problem["row"] is not None and not problem["part"] and len(found[problem["row"]]) < NOTES_A_ROW:
            found[problem["row"]].append(problem)
    return {row: _words_of(problems) for row, problems in found.items()}


def _words_of(problems: list[dict[str, Any]]) -> tuple[str, str]:
    """Say what is wrong in a row; of sentences that are the same only one."""
    shown = [shown_problem(problem) for problem in problems]
    wrong = [
        f"{problem['cell']}: {words.sentence}" if problem["cell"] else words.sentence
        for problem, words in zip(problems, shown, strict=True)
    ]
    repairs = [words.repair for words in shown if words.repair]
    repairs += [
        _("Offered by the portal: %(repair)s") % {"repair": fix_label(problem["fix"])}
        for problem in problems
        if problem["fix"]
    ]
    return "\n".join(dict.fromkeys(wrong)), "\n".join(dict.fromkeys(repairs))
