"""Small spreadsheets for tests, made on the spot."""

import io
import json
from collections.abc import Iterable, Sequence

from openpyxl import Workbook

LABELS = ("cobrança", "indenização", "saúde")
SENTENCE = (["Maria", "mora", "em", "Dourados"], ["B-PESSOA", "O", "O", "B-LOCAL"])


def workbook_of(rows: Iterable[Sequence[object]], *, title: str = "Dados") -> bytes:
    """Write rows, the header first, into one sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def workbook_bytes(task: str, *, rows: int = 12, salt: str = "") -> bytes:
    """Write a valid spreadsheet for a task."""
    return workbook_of(TABLES[task](rows, salt))


def _texts(rows: int, salt: str) -> list[tuple[str, str]]:
    header = [("texto", "label")]
    return header + [
        (f"O autor {index} pede o que consta do pedido {salt}.", LABELS[index % 3]) for index in range(rows)
    ]


def _tokens(rows: int, salt: str) -> list[tuple[str, str]]:
    tokens, tags = SENTENCE
    cells = [(json.dumps([*tokens, f"{salt}{index}"]), json.dumps([*tags, "O"])) for index in range(rows)]
    return [("tokens", "tags"), *cells]


TABLES = {"text-classification": _texts, "token-classification": _tokens}
