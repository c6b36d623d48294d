"""Reads records: JSON Lines (one object a line) and JSON (a list of objects). Keys are columns.

The row number is the line on which the record stands, or its place in the list.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import clean_cell, excerpt
from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.reading.encoding import Encoding, open_text
from bert_training.data.reading.kinds import FileKind
from bert_training.data.reading.lines import bounded_lines
from bert_training.data.reading.sheet import Rows, Sheet, Value, check_width, no_rows

PROMPT, COMPLETION = (
    "prompt",
    "completion",
)  # the pair that fine-tuning services ask for; the second begins with a space
ONE_A_LINE = gettext_noop('Write one object a line: {"texto": "...", "label": "..."}.')
A_LIST = gettext_noop('Write a list of objects: [{"texto": "...", "label": "..."}, ...].')

Record = tuple[int, Any]  # row number, JSON value


class _StrictJson(ValueError):
    """What json would take and we do not: a key twice, a number that is none."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_json_lines(path: Path, name: str, encoding: Encoding, problems: Problems) -> Sheet:
    """Read one object a line. Raises DatasetRefused with the number of the first line that is broken."""
    with open_text(path, encoding) as file:
        records = (
            (number, _parse(line, name, row=number))
            for number, line in enumerate(bounded_lines(file), start=1)
            if not line.isspace()
        )
        header, rows = _take_records(records, name, problems)
    return _sheet(path, name, FileKind.JSONL, encoding, header, rows)


def read_json(path: Path, name: str, encoding: Encoding, problems: Problems) -> Sheet:
    """Read a list of objects, or an object whose only list holds them, such as {"data": [...]}."""
    with open_text(path, encoding) as file:
        content = _parse(file.read(), name)
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 else None
    if not isinstance(content, list):
        message = gettext_noop("The file holds no list of records.")
        raise DatasetRefused(Problem("not_records", message, A_LIST, sheet=name))
    header, rows = _take_records(enumerate(content, start=1), name, problems)
    return _sheet(path, name, FileKind.JSON, encoding, header, rows)


def _sheet(path: Path, name: str, kind: FileKind, encoding: Encoding, header: list[str], rows: Rows) -> Sheet:
    return Sheet(
        path=path,
        name=name,
        index=0,
        first_column=0,
        header=[clean_cell(key) for key in header],
        row_numbers=rows.numbers,
        rows=rows.values,
        kind=kind,
        encoding=encoding.name,
    )


def _parse(text: str, name: str, *, row: int | None = None) -> Any:
    """Parse strictly: a key twice, NaN, a number of 5,000 digits and 200,000 brackets are refused, with the line."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except _StrictJson as error:
        problem = error.problem
    except json.JSONDecodeError as error:
        message = gettext_noop("The JSON is broken on line %(line)d, character %(character)d: %(reason)s.")
        values: dict[str, str | int] = {"line": row or error.lineno, "character": error.colno, "reason": error.msg}
        problem = Problem("invalid_json", message, ONE_A_LINE if row else A_LIST, values)
    except (ValueError, RecursionError):
        message = gettext_noop("The JSON holds a number that is too long, or too many brackets inside each other.")
        problem = Problem("invalid_json", message, ONE_A_LINE if row else A_LIST)
    raise DatasetRefused(
        Problem(problem.code, problem.message, problem.repair, problem.values, sheet=name, row=row)
    ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        message = gettext_noop("An object has the key %(key)s twice.")
        repair = gettext_noop("Rename or delete one of them.")
        raise _StrictJson(Problem("duplicate_key", message, repair, {"key": excerpt(twice)}))
    return found


def _refuse_constant(word: str) -> None:
    message = gettext_noop("%(word)s is no JSON value.")
    repair = gettext_noop("Write null, or leave the record out.")
    raise _StrictJson(Problem("invalid_json", message, repair, {"word": word}))


def _take_records(records: Iterable[Record], name: str, problems: Problems) -> tuple[list[str], Rows]:
    """Return all keys in the order of their first appearance, and the rows, None where a record lacks a key."""
    positions: dict[str, int] = {}
    rows, others = Rows(), []
    for number, record in records:
        if not isinstance(record, dict):
            problems.error(_no_object(record, name, number))
            continue
        if len(rows) and record.keys() != positions.keys():
            others.append(number)
        for key in record:
            positions.setdefault(key, len(positions))
        check_width(len(positions))
        row: list[Value] = [record.get(key) for key in positions]
        rows.add(number, row)
    if not len(rows) and not problems.error_count:
        raise no_rows(name)
    for position, values in enumerate(rows.values):
        rows.values[position] = [*values, *[None] * (len(positions) - len(values))]
    _note_other_keys(others, name, problems)
    _trim_completions(positions, rows, name, problems)
    return list(positions), rows


def _no_object(record: Any, name: str, number: int) -> Problem:
    message = gettext_noop("The record is no object with keys.")
    text = json.dumps(record, ensure_ascii=False)
    return Problem("mixed_schema", message, ONE_A_LINE, sheet=name, row=number, excerpt=excerpt(text, 60))


def _note_other_keys(others: list[int], name: str, problems: Problems) -> None:
    if others:
        message = gettext_noop("%(count)d records have other keys than those before them; the first is number %(row)d.")
        repair = gettext_noop("Give every record the same keys; a missing one counts as an empty cell.")
        values: dict[str, str | int] = {"count": len(others), "row": others[0]}
        problems.warning(Problem("other_keys", message, repair, values, sheet=name, row=others[0]), count=len(others))


def _trim_completions(positions: dict[str, int], rows: Rows, name: str, problems: Problems) -> None:
    """Take away the space with which a completion begins by custom: it is no part of a label."""
    if PROMPT not in positions or COMPLETION not in positions:
        return
    position, trimmed = positions[COMPLETION], 0
    for row in rows.values:
        value = row[position]
        if isinstance(value, str) and value.startswith(" ") and isinstance(row, list):
            row[position] = value.lstrip(" ")
            trimmed += 1
    if trimmed:
        message = gettext_noop("%(count)d completions began with a space; it was taken away.")
        values: dict[str, str | int] = {"count": trimmed}
        problems.warning(Problem("completion_space", message, "", values, sheet=name, column=COMPLETION), count=trimmed)
