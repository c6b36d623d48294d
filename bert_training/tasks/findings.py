"""Writes what was found beside the rows of somebody's spreadsheet, for them to go on working in it.

`write_in_sandbox` is what the portal calls; the rest runs in the child, for it reads the stranger's file again.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bert_training.data.cells import is_blank
from bert_training.data.checks import DatasetRefused, Problems
from bert_training.data.columns import match_columns, take_cells
from bert_training.data.digest import file_digest
from bert_training.data.process_limits import ProcessLimits
from bert_training.data.profiling.duplicates import exact_groups, near_groups
from bert_training.data.reading.sheet import Sheet
from bert_training.data.writing.annotate import NewColumn, annotate
from bert_training.data.writing.own_columns import ROW_ID_HEADER, row_id, without_own
from bert_training.data.writing.workbook import ColumnLook
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest, SourceFile
from bert_training.tasks.rows_beside import ID_WIDTH, read_asked, write_in_child

# What is compared while somebody waits; larger files have their groups from the profile.
ROWS_COMPARED = 20_000
LETTERS_COMPARED = 10_000_000  # of all texts together

WIDTHS = (60, 40, 14, 14)  # of the four columns for people, in characters


@dataclass(frozen=True)
class Notes:
    """What to write beside which row.

    headers: of the columns for problems, for what repairs them, for the row that a text repeats, for the number of a
    group of similar texts.  problems: row -> what is wrong, how to repair it.
    groups: row -> number of its group; None where nobody has looked for them yet.
    """

    headers: Sequence[str]
    problems: Mapping[int, Sequence[str]] = field(default_factory=dict)
    groups: Mapping[int, int] | None = None

    @classmethod
    def from_json(cls, text: str) -> "Notes":
        """Read what asdict and json.dumps wrote: the keys of JSON are texts."""
        values = json.loads(text)
        problems = {int(row): words for row, words in values["problems"].items()}
        groups = values["groups"] and {int(row): group for row, group in values["groups"].items()}
        return cls(values["headers"], problems, groups)


def write_in_sandbox(
    source: SourceFile, request: CheckRequest, *, notes: Notes, target: Path, limits: ProcessLimits
) -> None:
    """Write the file with its notes to target, see data.writing.annotate. Raises DatasetRefused."""
    write_in_child(f"{__name__}.write_findings", source, request, notes=asdict(notes), target=target, limits=limits)


def write_findings(
    source: str, display_name: str, request: dict[str, Any], notes_path: str, target: str
) -> dict[str, Any] | None:
    """Run in the child; returns the problem for which the file cannot be read, if there is one."""
    path, asked = Path(source), CheckRequest(**request)
    notes = Notes.from_json(Path(notes_path).read_text(encoding="utf-8"))
    try:
        sheet = read_asked(path, asked, display_name=display_name)
    except DatasetRefused as refusal:
        return refusal.problem.as_dict()
    _write(sheet, asked, notes, Path(target))
    return None


def _write(sheet: Sheet, request: CheckRequest, notes: Notes, target: Path) -> None:
    texts = _texts(sheet, request)
    repeated = _repeated(texts)
    groups = _groups(texts) if notes.groups is None else notes.groups
    sha256, rows = file_digest(sheet.path), frozenset(sheet.row_numbers)

    def texts_of(row: int) -> Sequence[str]:
        if row not in rows:
            return ()
        problem, repair = notes.problems.get(row, ("", ""))
        return (problem, repair, str(repeated.get(row, "")), str(groups.get(row, "")), row_id(sha256, row))

    columns = [NewColumn(header, ColumnLook(width)) for header, width in zip(notes.headers, WIDTHS, strict=True)]
    columns.append(NewColumn(ROW_ID_HEADER, ColumnLook(ID_WIDTH, is_hidden=True)))
    annotate(sheet, target, columns=columns, texts_of=texts_of)


def _texts(sheet: Sheet, request: CheckRequest) -> dict[int, str]:
    """Return row -> text where there is one; nothing where the column is not found, which the check has said."""
    column = TASKS[request.task].columns[0]
    mapping = {name: headers for name, headers in request.columns.items() if name == column.name}
    try:
        cells = take_cells(sheet, match_columns(without_own(sheet), [column], mapping), Problems())
    except DatasetRefused:
        return {}
    return {row: text for row, text in zip(cells.rows, cells.texts[column.name], strict=True) if not is_blank(text)}


def _repeated(texts: Mapping[int, str]) -> dict[int, int]:
    """Return row -> the first row that has the same text."""
    rows = list(texts)
    firsts = enumerate(exact_groups(list(texts.values())))
    return {rows[index]: rows[first] for index, first in firsts if first != index}


def _groups(texts: Mapping[int, str]) -> dict[int, int]:
    """Return row -> number of its group of similar texts; nothing for files in which that would take too long."""
    if len(texts) > ROWS_COMPARED or sum(map(len, texts.values())) > LETTERS_COMPARED:
        return {}
    return number_groups(list(texts), near_groups(list(texts.values())))


def number_groups(rows: Sequence[int], groups: Sequence[int]) -> dict[int, int]:
    """Number the groups of more than one row in the order of their first rows. groups: as near_groups has them."""
    sizes, numbers = Counter(groups), dict[int, int]()
    return {
        row: numbers.setdefault(first, len(numbers) + 1)
        for row, first in zip(rows, groups, strict=True)
        if sizes[first] > 1
    }
