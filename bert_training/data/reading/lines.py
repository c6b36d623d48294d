"""Reads a text line by line without ever holding a line that is too long."""

from collections.abc import Iterator
from typing import TextIO

from bert_training.contract.wording import gettext_noop
from bert_training.data.checks import DatasetRefused, Problem

LINE_CHARACTERS = 10_000_000  # ten cells at their limit


def bounded_lines(file: TextIO) -> Iterator[str]:
    """Yield the lines with their ends. Raises DatasetRefused(line_too_long) with the number of the line."""
    number = 0
    while line := file.readline(LINE_CHARACTERS):
        number += 1
        if len(line) >= LINE_CHARACTERS and not line.endswith(("\n", "\r")):
            message = gettext_noop("Line %(line)d has more than %(limit)d characters.")
            repair = gettext_noop("Write every example on a line of its own.")
            values: dict[str, str | int] = {"line": number, "limit": LINE_CHARACTERS}
            raise DatasetRefused(Problem("line_too_long", message, repair, values, row=number))
        yield line
