"""Small spreadsheets for tests, made on the spot."""

import io
import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

from openpyxl import Workbook

LABELS = ("cobrança", "indenização", "saúde")
WORDS = """fornecimento medicamento cirurgia leito prótese exame consulta terapia internação transporte fralda insulina
dano moral material estético colisão buraco viatura queda muro enchente árvore fio poste calçada semáforo ônibus
tributo multa parcela contrato aluguel taxa dívida juros correção nota recibo extrato guia boleto fatura imposto
""".split()  # noqa: SIM905 - a list of literals is four times as long
CLAIM_WORDS = 8
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


def claim_of(number: int) -> str:
    """Return some words for a row that no other row has in this choice: rows are no near-duplicates of each other."""
    return " ".join(WORDS[byte % len(WORDS)] for byte in sha256(b"%d" % number).digest()[:CLAIM_WORDS])


def workbook_bytes(task: str, *, rows: int = 12, salt: str = "") -> bytes:
    """Write a valid spreadsheet for a task."""
    return workbook_of(TABLES[task](rows, salt))


def _texts(rows: int, salt: str) -> list[tuple[str, str]]:
    header = [("texto", "label")]
    return header + [
        (f"O autor {index} pede {claim_of(index)}, conforme {salt}.", LABELS[index % 3]) for index in range(rows)
    ]


def _tokens(rows: int, salt: str) -> list[tuple[str, str]]:
    tokens, tags = SENTENCE
    more = [[f"{salt}{index}", *claim_of(index).split()] for index in range(rows)]
    cells = [(json.dumps([*tokens, *words]), json.dumps([*tags, *["O"] * len(words)])) for words in more]
    return [("tokens", "tags"), *cells]


TABLES = {"text-classification": _texts, "token-classification": _tokens}
