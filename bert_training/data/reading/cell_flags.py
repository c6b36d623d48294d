"""Finds in the bytes of an .xlsx sheet what its reader does not tell: why cells are blank, and what is hidden.

Formulas without a saved value and error cells are shown as blanks. One scan of the inflated sheet XML; a sheet without
formulas and errors costs a substring search.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bert_training.data.reading.archive import open_package
from bert_training.data.reading.package_parts import sheet_part
from bert_training.data.table import CellFlag
from bert_training.data.writing.sheet_ranges import column_position

CHUNK_BYTES = 1024 * 1024
LAST_COLUMN = 16_384
FLAGGED_CELLS = 100_000  # beyond, a cell is reported as empty, which is also an error

_SUSPICIOUS = re.compile(rb"""<(?:\w+:)?f[\s/>]|\st=["']e["']""")
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/>])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_REFERENCE = re.compile(rb"""(?:^|\s)r=["']([A-Z]{1,3})(\d{1,7})["']""")
_TYPE = re.compile(rb"""(?:^|\s)t=["'](\w+)["']""")
_WITH_FORMULA = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*\s)?r=["']([A-Z]{1,3})\d{1,7}["'][^>]*>\s*<(?:\w+:)?f[\s/>]""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\s(?=[^>]*\shidden=["'](?:1|true)["'])[^>]*?\br=["'](\d{1,7})["']""")
_HIDDEN_COLUMN = re.compile(rb"""<(?:\w+:)?col\s(?=[^>]*\bhidden=["'](?:1|true)["'])[^>]*>""")
_COLUMN_SPAN = tuple(re.compile(rb"\s%b=[\"'](\d{1,5})[\"']" % name) for name in (b"min", b"max"))
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]")


def find_flagged_cells(path: Path, sheet_index: int, *, letters: frozenset[str]) -> dict[tuple[str, int], CellFlag]:
    """Return (column letter, row number) -> flag for the cells of these columns of an .xlsx.

    sheet_index: position in the workbook, from 0. A cell without a reference (some writers leave it out) has no flag.
    """
    flagged: dict[tuple[str, int], CellFlag] = {}
    with open_package(path) as package:
        part = sheet_part(package, sheet_index)
        if part is None:
            return flagged
        for chunk in _chunks(package, part):
            if _SUSPICIOUS.search(chunk) and len(flagged) < FLAGGED_CELLS:
                flagged.update(_flags_in(chunk, letters))
    return flagged


def find_hidden(path: Path, sheet_index: int) -> tuple[set[int], set[int]]:
    """Return the numbers of the hidden rows, and the positions of the hidden columns, from 0.

    Where nothing is hidden it costs the inflation and a substring search; other threads may run meanwhile.
    """
    rows: set[int] = set()
    columns: set[int] = set()
    with open_package(path) as package:
        part = sheet_part(package, sheet_index)
        for chunk in _chunks(package, part) if part is not None else ():
            if b"hidden=" not in chunk:
                continue
            rows.update(int(number) for number in _HIDDEN_ROW.findall(chunk))
            for tag in _HIDDEN_COLUMN.findall(chunk):
                first, last = (pattern.search(tag) for pattern in _COLUMN_SPAN)
                if first and last:
                    columns.update(range(int(first[1]) - 1, min(int(last[1]), LAST_COLUMN)))
    return rows, columns


def last_formula(path: Path, sheet_index: int) -> int:
    """Return the position of the last column that holds a formula, from 0; -1 without any.

    The reader does not see a column of formulas that were never computed, if it has no header.
    """
    letters: set[bytes] = set()
    with open_package(path) as package:
        part = sheet_part(package, sheet_index)
        for chunk in _chunks(package, part) if part is not None else ():
            if _FORMULA.search(chunk):
                letters.update(_WITH_FORMULA.findall(chunk))
    return max(map(column_position, letters), default=-1)


def _chunks(package: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield the part in pieces that end after a cell."""
    rest = b""
    with package.open(part) as file:
        while block := file.read(CHUNK_BYTES):
            window = rest + block
            cut = max(_end_of_last(b"</c>", window), _end_of_last(b":c>", window))
            yield window[:cut]
            rest = window[cut:]
    yield rest


def _end_of_last(tag: bytes, window: bytes) -> int:
    """Return where the last such tag ends, 0 without one."""
    found = window.rfind(tag)
    return 0 if found < 0 else found + len(tag)


def _flags_in(chunk: bytes, letters: frozenset[str]) -> Iterator[tuple[tuple[str, int], CellFlag]]:
    for cell in _CELL.finditer(chunk):
        reference = _REFERENCE.search(cell[1])
        if reference is None or reference[1].decode() not in letters:
            continue
        flag = _flag_of(cell[1], cell[2])
        if flag is not None:
            yield (reference[1].decode(), int(reference[2])), flag


def _flag_of(attributes: bytes, content: bytes) -> CellFlag | None:
    kind = _TYPE.search(attributes)
    if kind is not None and kind[1] == b"e":
        return CellFlag.ERROR
    # A saved empty text (t="str") is a value: the formula was computed and gave "".
    if _FORMULA.search(content) and not _VALUE.search(content) and (kind is None or kind[1] != b"str"):
        return CellFlag.FORMULA
    return None
