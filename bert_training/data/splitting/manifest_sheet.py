"""Reads a manifest that a user wrote, which row of the data is in which split, and checks it in both directions.

Runs in a child process (data.sandbox), for the file is a stranger's. Writes the ones that are downloaded, too.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bert_training.contract.enums import Split
from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt, normalized
from bert_training.data.checks import DatasetRefused, Problem, Problems, Values
from bert_training.data.columns import match_columns, take_cells
from bert_training.data.parquet import read_table
from bert_training.data.reading.spreadsheet import read_sheet
from bert_training.data.splitting.manifest import LETTER_OF
from bert_training.data.splitting.split_names import split_named
from bert_training.data.table import PART_STRIDE, PARTS, ROW, Cells

SPLIT_COLUMN, FILE_COLUMN = "split", "file"
LEFT_OUT = "nenhum"
WORD_OF = {Split.TRAIN: "treino", Split.VALIDATION: "validacao", Split.TEST: "teste", None: LEFT_OUT}
ROW_DIGITS = 8
_LEFT_OUT_WORDS = frozenset({LEFT_OUT, "nenhuma", "none", "-"})
_NO_FORMULA = "'"  # before a name that a spreadsheet program would take for a formula
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


FAULTS = {
    "manifest_row_invalid": (
        gettext_noop("“%(value)s” is not the number of a row."),
        gettext_noop("Write the number that the spreadsheet shows beside the row, such as 17."),
    ),
    "manifest_row_unknown": (
        gettext_noop("The data have no row %(value)s."),
        gettext_noop("Delete the line, or correct its number; rows without a text are not part of the data."),
    ),
    "manifest_row_twice": (
        gettext_noop("The row %(value)s was named before, in line %(first)d."),
        gettext_noop("Delete one of the two lines."),
    ),
    "manifest_split_unknown": (
        gettext_noop("“%(value)s” is not a split."),
        gettext_noop("Write treino, validacao, teste or nenhum."),
    ),
    "manifest_file_unknown": (
        gettext_noop("The data have no file “%(value)s”."),
        gettext_noop("Write the name of the file as it was sent."),
    ),
}


@dataclass(frozen=True)
class ManifestColumn:
    """A column of a manifest; its header is the one that is written."""

    name: str
    header: str
    aliases: tuple[str, ...]


COLUMNS = (
    ManifestColumn(ROW, "linha", ("row", "line", "linha da planilha", "número da linha")),
    ManifestColumn(SPLIT_COLUMN, "conjunto", ("split", "divisão", "partição", "subset", "set")),
    ManifestColumn(FILE_COLUMN, "arquivo", ("file",)),
)


def write_manifest(
    rows: Sequence[int], splits: Sequence[Split | None], files: Sequence[str], *, separator: str = ","
) -> str:
    """Return a manifest as CSV: row of the spreadsheet, split, and, where several files were sent, which one.

    files: their names in the order of PARTS, "" for one that was not sent.
    """
    has_several = sum(map(bool, files)) > 1
    names = [(_NO_FORMULA if name.startswith(_FORMULA_STARTS) else "") + name for name in files]
    if len({normalized(name) for name in files if name}) < sum(map(bool, files)):
        names = [WORD_OF[part] for part in PARTS]  # files that read alike are told apart by what they were sent for
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerow([column.header for column in COLUMNS[: 3 if has_several else 2]])
    for row, split in zip(rows, splits, strict=True):
        part, number = divmod(row, PART_STRIDE)
        writer.writerow([number, WORD_OF[split], *([names[part]] if has_several else [])])
    return buffer.getvalue()


def check_manifest(path: str, display_name: str, table_path: str, files: Sequence[str]) -> dict[str, Any]:
    """Return {"letters", "errors", "counts"}: the manifest as stored, "" when anything is wrong with it."""
    problems, letters = Problems(), ""
    try:
        cells = _take(Path(path), display_name, problems)
        letters = _judge(cells, read_table(Path(table_path), [ROW])[ROW], files, problems)
    except DatasetRefused as refusal:
        problems.error(_in_our_words(refusal.problem))
    return {
        "letters": "" if problems.error_count else letters,
        # The repairs of datasets, one of which is named with each row, are no repairs of a manifest.
        "errors": [{**problem.as_dict(), "fix": ""} for problem in problems.errors],
        "counts": {group.code: group.count for group in problems.groups if group.is_error},
    }


def _in_our_words(problem: Problem) -> Problem:
    """Say for a missing column what a manifest has: nothing can be chosen on a form here."""
    if problem.code != "missing_column":
        return problem
    return replace(problem, repair=gettext_noop("Name the columns linha and conjunto."))


def _take(path: Path, display_name: str, problems: Problems) -> Cells:
    sheet = read_sheet(path, problems, display_name=display_name)
    headers = {normalized(header) for header in sheet.header}
    row, split, file = COLUMNS
    has_files = any(normalized(name) in headers for name in (file.header, *file.aliases))
    return take_cells(sheet, match_columns(sheet, [row, split, *([file] if has_files else [])]), problems)


def _judge(cells: Cells, rows: Sequence[int], files: Sequence[str], problems: Problems) -> str:
    """Return the letters of the rows; notes lines that fit no row, and rows that no line fits."""
    index_of = {row: index for index, row in enumerate(rows)}
    letters, line_of = ["-"] * len(rows), dict[int, int]()
    parts = _parts_by_name(files)
    for line in range(len(cells.rows)):
        try:
            index = _index_of_row(cells, line, parts, index_of)
            first = line_of.setdefault(index, line)
            if first != line:
                raise _WrongLine("manifest_row_twice", ROW, {"first": cells.rows[first]})
            letters[index] = _letter_of(cells.texts[SPLIT_COLUMN][line])
        except _WrongLine as wrong:
            message, repair = FAULTS[wrong.code]
            values: Values = {"value": excerpt(cells.texts[wrong.column][line], 60), **wrong.values}
            problem = cells.problem(wrong.code, message, column=wrong.column, index=line, repair=repair, values=values)
            problems.error(problem)
    _note_missing([row for index, row in enumerate(rows) if index not in line_of], files, problems)
    if LETTER_OF[Split.TRAIN] not in letters and not problems.error_count:
        problems.error(Problem("manifest_no_training", gettext_noop("The manifest names no row for training.")))
    return "".join(letters)


class _WrongLine(Exception):
    """A line of the manifest that cannot be used: what is wrong with it, and in which column."""

    def __init__(self, code: str, column: str, values: Values | None = None) -> None:
        super().__init__(code)
        self.code, self.column, self.values = code, column, values or {}


def _parts_by_name(files: Sequence[str]) -> dict[str, int]:
    """Return the position in PARTS of each file that was sent, by its name and by what it was sent for."""
    sent = {position: name for position, name in enumerate(files) if name}
    by_purpose = {word: position for position in sent for word in (WORD_OF[PARTS[position]], PARTS[position].value)}
    return by_purpose | {normalized(name): position for position, name in reversed(sent.items())}


def _index_of_row(cells: Cells, line: int, parts: dict[str, int], index_of: dict[int, int]) -> int:
    """Return the index of the row that a line names; raises _WrongLine."""
    text, part = cells.texts[ROW][line].strip(), 0
    if FILE_COLUMN in cells.texts:
        name = normalized(cells.texts[FILE_COLUMN][line])
        name = name if name in parts else name.removeprefix(_NO_FORMULA)
        if name not in parts:
            raise _WrongLine("manifest_file_unknown", FILE_COLUMN)
        part = parts[name]
    if not (text.isascii() and text.isdecimal() and len(text) <= ROW_DIGITS):
        raise _WrongLine("manifest_row_invalid", ROW)
    index = index_of.get(part * PART_STRIDE + int(text))
    if index is None:
        raise _WrongLine("manifest_row_unknown", ROW)
    return index


def _letter_of(text: str) -> str:
    split = split_named(text)
    if split is None and normalized(text) not in _LEFT_OUT_WORDS:
        raise _WrongLine("manifest_split_unknown", SPLIT_COLUMN)
    return LETTER_OF[split]


def _note_missing(rows: Sequence[int], files: Sequence[str], problems: Problems) -> None:
    message = gettext_noop("Row %(row)d of %(file)s has no line in the manifest.")
    repair = gettext_noop("Add a line for it; a row of the split “nenhum” takes no part.")
    for row in rows:
        part, number = divmod(row, PART_STRIDE)
        problems.error(Problem("manifest_row_missing", message, repair, {"row": number, "file": files[part]}))
