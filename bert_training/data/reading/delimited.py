"""Reads .csv and .tsv: finds the separator, keeps every value as it is written.

Values are never guessed: "001" and "1e5" stay. Only a column written with decimal commas throughout becomes numbers.
The row number is the one that a spreadsheet program shows; what is broken is named with its line too.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import compress, islice
from pathlib import Path

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import clean_cell, excerpt, is_blank, to_text
from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.reading.encoding import Encoding, open_text
from bert_training.data.reading.kinds import CELL_CHARACTERS, FileKind
from bert_training.data.reading.lines import bounded_lines
from bert_training.data.reading.sheet import ROWS, Rows, Sheet, Value, check_width, no_rows, too_many_rows

SEPARATORS = ",;\t|"
NO_SEPARATOR = "\x1f"  # a file of one column
SAMPLE_CHARACTERS = 64 * 1024
SAMPLE_RECORDS = 200
LINES_A_ROW = 2  # 50 MiB of blank lines would otherwise be read for 12 s
MIN_AGREEMENT = 0.5  # share of the first records that must have the same number of cells

QUOTE = gettext_noop("Put texts that hold the separator or a line break between quotation marks.")

_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)  # a hint that Excel takes and does not show
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d{1,15},\d{1,15}\s*")
_NUMBER = re.compile(r"\s*[+-]?\d{1,15}(?:,\d{1,15})?\s*")


def read_delimited(path: Path, name: str, encoding: Encoding, problems: Problems) -> Sheet:
    """Read the file as one sheet. Raises DatasetRefused; a row that is too long or too short is an error of its own."""
    separator, width = detect_separator(path, encoding)
    header, rows = _take_rows(_records(path, encoding, separator, name), width, name, problems)
    _read_decimal_commas(header, rows, name, problems)
    return Sheet(
        path=path,
        name=name,
        index=0,
        first_column=0,
        header=[clean_cell(to_text(value)) for value in header],
        row_numbers=rows.numbers,
        rows=rows.values,
        kind=FileKind.TSV if separator == "\t" else FileKind.CSV,
        encoding=encoding.name,
        separator="" if separator == NO_SEPARATOR else separator,
        header_cells=header.index(None) if None in header else len(header),
    )


def detect_separator(path: Path, encoding: Encoding) -> tuple[str, int]:
    """Return the separator that divides the first records most evenly, and into how many cells."""
    with open_text(path, encoding) as file:
        sample = file.read(SAMPLE_CHARACTERS)
    hint = _SEPARATOR_LINE.match(sample)
    best = (0.0, 1, NO_SEPARATOR)
    for separator in hint[1] if hint else SEPARATORS:
        widths = _widths(sample, separator)
        wide = Counter(width for width in widths if width > 1)
        for width, count in wide.most_common(1):
            best = max(best, (count / len(widths), width, separator))
    agreement, width, separator = best
    return (separator, width) if agreement >= MIN_AGREEMENT else (NO_SEPARATOR, 1)


def _widths(sample: str, separator: str) -> list[int]:
    """Count the cells of each record of the sample; the last record may be cut off and does not count."""
    lines = sample.splitlines(keepends=True)
    try:
        records = list(islice(csv.reader(lines, delimiter=separator), SAMPLE_RECORDS))
    except csv.Error:
        return []
    if len(sample) >= SAMPLE_CHARACTERS:
        records = records[:-1] or records
    return [len(record) for record in records if record]


Record = tuple[int, int, list[str]]  # row number, line on which it begins, cells


def _records(path: Path, encoding: Encoding, separator: str, name: str) -> Iterator[Record]:
    csv.field_size_limit(CELL_CHARACTERS)
    with open_text(path, encoding) as file:
        lines: Iterable[str] = bounded_lines(file)
        skipped = 0
        if _SEPARATOR_LINE.fullmatch(file.readline(20)):
            skipped = 1
        else:
            file.seek(0)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        number, line = 0, 1 + skipped
        try:
            for number, record in enumerate(reader, start=1):  # programs do not show the line with the separator
                yield number, line, record
                line = reader.line_num + 1 + skipped
        except csv.Error as error:
            raise _broken(str(error), name, number + 1, line) from error


def _take_rows(records: Iterable[Record], width: int, name: str, problems: Problems) -> tuple[list[Value], Rows]:
    """Return the header and the rows below it. Titles above the table may be shorter than it: None pads them."""
    header: list[Value] = []
    rows, in_title = Rows(), True
    for number, line, record in records:
        if number > LINES_A_ROW * ROWS:
            raise too_many_rows()
        if all(map(is_blank, record)):
            continue
        in_title = in_title and len(record) < width
        if in_title and header:
            rows.add(number, [*record, *[None] * (width - len(record))])
        elif not header:
            header = [*record, *[None] * (width - len(record))]
            check_width(len(header))
        elif (fitted := _fitted(record, len(header))) is not None:
            rows.add(number, fitted)
        else:
            problems.error(_ragged(record, header, line, name, number))
    if not len(rows) and not problems.error_count:
        raise no_rows(name)
    return header, rows


def _fitted(record: list[str], width: int) -> list[str] | None:
    """Return the record as wide as the header; None when cells are missing or too many."""
    if len(record) == width:
        return record
    return record[:width] if len(record) > width and all(map(is_blank, record[width:])) else None


def _ragged(record: list[str], header: Sequence[Value], line: int, name: str, number: int) -> Problem:
    message = gettext_noop("Line %(line)d has %(cells)d cells, the header has %(columns)d.")
    values: dict[str, str | int] = {"line": line, "cells": len(record), "columns": len(header)}
    return Problem("ragged_row", message, QUOTE, values, sheet=name, row=number, excerpt=excerpt("".join(record), 60))


def _broken(reason: str, name: str, number: int, line: int) -> DatasetRefused:
    """Explain why the reader of records gave up in the record that begins on this line."""
    if "field limit" in reason:
        message = gettext_noop("A cell that begins on line %(line)d has more than %(limit)d characters.")
        repair = gettext_noop("Shorten the text, or close its quotation marks.")
        values: dict[str, str | int] = {"line": line, "limit": CELL_CHARACTERS}
        return DatasetRefused(Problem("cell_too_long", message, repair, values, sheet=name, row=number))
    message = gettext_noop("A quotation mark that is opened on line %(line)d is not closed where its cell ends.")
    repair = gettext_noop("Close it; inside a quoted text write every quotation mark twice.")
    return DatasetRefused(Problem("unclosed_quote", message, repair, {"line": line}, sheet=name, row=number))


def leave_out_unnamed(sheet: Sheet, problems: Problems) -> Sheet:
    """Leave out the rows that have more cells than their header, and say so: which is which nobody knows.

    To be called when the header is known to be none of the titles above it.
    """
    message = gettext_noop("The row has more cells than the header, which has %(columns)d.")
    values: dict[str, str | int] = {"columns": sheet.header_cells}
    named = []
    for number, row in zip(sheet.row_numbers, sheet.rows, strict=True):
        named.append(all(is_blank(to_text(value)) for value in row[sheet.header_cells :]))
        if not named[-1]:
            shown = excerpt("".join(map(to_text, row)), 60)
            problems.error(Problem("ragged_row", message, QUOTE, values, sheet=sheet.name, row=number, excerpt=shown))
    if all(named):
        return sheet
    numbers, rows = compress(sheet.row_numbers, named), compress(sheet.rows, named)
    return replace(sheet, row_numbers=list(numbers), rows=list(rows))


def _read_decimal_commas(header: Sequence[Value], rows: Rows, name: str, problems: Problems) -> None:
    """Turn the columns that are numbers with decimal commas throughout into numbers, and say so."""
    for position, title in enumerate(header):
        cells = [to_text(row[position]) for row in rows.values]
        if not _has_decimal_commas(cells):
            continue
        for index, text in enumerate(cells):
            row: list[Value] = list(rows.values[index])
            row[position] = float(text.replace(",", ".")) if not is_blank(text) else ""
            rows.values[index] = row
        message = gettext_noop("The numbers of the column %(column)s are written with a decimal comma; 1,5 became 1.5.")
        problems.warning(
            Problem(
                "decimal_comma", message, "", {"column": excerpt(to_text(title))}, sheet=name, column=to_text(title)
            )
        )


def _has_decimal_commas(cells: Sequence[str]) -> bool:
    """Tell whether every value is a number and one at least has a comma; the first text ends the look."""
    found = False
    for text in cells:
        if not _NUMBER.fullmatch(text) and not is_blank(text):
            return False
        found = found or _DECIMAL_COMMA.fullmatch(text) is not None
    return found
