"""How CSV files suit the reader's spreadsheet program: in pt-BR fields end with ";", numbers have a decimal comma.

UTF-8 with a byte order mark, without which that program takes accents for something else. A file for programs (the
API's) is plain: comma, point, no mark.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.formats import get_format

from bert_training.data.writing.formula_signs import harmless

Value = str | int | float | None


@dataclass(frozen=True)
class CsvForm:
    """mark: what the file begins with."""

    separator: str = ","
    decimal_sign: str = "."
    mark: bytes = b""

    def lines(self, rows: Iterable[Sequence[Value]]) -> str:
        """Write rows; a text that a program would take for a formula is made harmless, None is empty."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=self.separator)
        writer.writerows([self._field(value) for value in row] for row in rows)
        return buffer.getvalue()

    def file(self, rows: Iterable[Sequence[Value]]) -> bytes:
        """Write a whole small file."""
        return self.mark + self.lines(rows).encode()

    def _field(self, value: Value) -> str:
        if isinstance(value, str):
            return harmless(value)
        text = "" if value is None else str(value)
        return text.replace(".", self.decimal_sign) if isinstance(value, float) else text


PLAIN = CsvForm()


def reader_form() -> CsvForm:
    """Return the form that the active language's spreadsheet program opens without questions."""
    decimal_sign = get_format("DECIMAL_SEPARATOR")
    separator = ";" if decimal_sign == "," else ","
    return CsvForm(separator, decimal_sign, codecs.BOM_UTF8)
