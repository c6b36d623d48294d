"""Reads what a user sends, in whichever format, into one Sheet; runs in a child process (data.sandbox).

Judges the file's kind first, then leaves it to the reader of that kind (data.reading).
"""

from bisect import bisect_left
from dataclasses import replace
from itertools import chain
from pathlib import Path, PurePosixPath

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problem, Problems
from bert_training.data.reading.delimited import read_delimited
from bert_training.data.reading.encoding import Encoding, state_encoding
from bert_training.data.reading.file_kind import judge_file
from bert_training.data.reading.kinds import WORKBOOKS, FileKind
from bert_training.data.reading.ods_cells import scan_ods
from bert_training.data.reading.records import read_json, read_json_lines
from bert_training.data.reading.row_repairs import repair_rows
from bert_training.data.reading.sentences import read_sentences
from bert_training.data.reading.sheet import Sheet
from bert_training.data.reading.workbooks import read_workbook
from bert_training.data.repairs import NOTHING, Recipe

TEXT_READERS = {
    FileKind.CSV: read_delimited,
    FileKind.TSV: read_delimited,
    FileKind.JSONL: read_json_lines,
    FileKind.JSON: read_json,
    FileKind.CONLL: read_sentences,
}


def read_sheet(
    path: Path, problems: Problems, *, sheet: str | None = None, display_name: str = "", recipe: Recipe = NOTHING
) -> Sheet:
    """Read the named sheet, or the first visible one. Raises DatasetRefused; other remarks go into problems.

    Formats without sheets ignore the name. Does the repairs of the recipe that are about whole rows.
    """
    facts = judge_file(path, display_name)
    if facts.kind in WORKBOOKS:
        found = read_workbook(path, facts.kind, problems, sheet=sheet)
        found = _with_ods_facts(found) if facts.kind == FileKind.ODS else found
    elif facts.encoding is None:
        found = _read_parquet(path, _sheet_name(display_name, facts.kind))
    else:
        found = _read_text(path, facts.kind, facts.encoding, problems, name=_sheet_name(display_name, facts.kind))
    if facts.active:
        message = gettext_noop("The workbook holds %(kinds)s; they were ignored.")
        problems.warning(Problem("active_content", message, values={"kinds": ", ".join(facts.active)}))
    return repair_rows(found, recipe, problems)


def _read_parquet(path: Path, name: str) -> Sheet:
    from bert_training.data.reading.parquet_rows import read_parquet  # pyarrow: 45 MB that no other format needs

    return read_parquet(path, name)


def _read_text(path: Path, kind: FileKind, encoding: Encoding, problems: Problems, *, name: str) -> Sheet:
    state_encoding(encoding, problems)
    return TEXT_READERS[kind](path, name, encoding, problems)


def _sheet_name(display_name: str, kind: FileKind) -> str:
    """Call the only sheet of a file as the file is called."""
    return excerpt(PurePosixPath(display_name.replace("\\", "/")).name, 80) or kind.value


def _with_ods_facts(sheet: Sheet) -> Sheet:
    """Add what calamine does not tell of an .ods."""
    facts = scan_ods(sheet.path, sheet.index)
    columns = {column - sheet.first_column for column in facts.hidden_columns}
    hidden = (
        sheet.row_numbers[bisect_left(sheet.row_numbers, rows.start) : bisect_left(sheet.row_numbers, rows.stop)]
        for rows in facts.hidden_rows
    )
    return replace(
        sheet,
        merged=facts.merged,
        flags={(row, column - sheet.first_column): flag for (row, column), flag in facts.flags.items()},
        hidden_rows=frozenset(chain.from_iterable(hidden)),
        hidden_columns=frozenset(columns.intersection(range(len(sheet.header)))),
    )
