"""Edits what stands before the rows of a sheet's XML: its dimension, and the widths of columns."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bert_training.data.table import column_letter
from bert_training.data.writing.workbook import ColumnLook, column_xml

HEAD_BYTES = 16 * 1024 * 1024  # usual are 2 kB

_DIMENSION = re.compile(rb"""(<(?:[\w.-]+:)?dimension\s[^>]*?ref\s*=\s*["'])([A-Z]{1,3})(\d+)(?::([A-Z]{1,3})(\d+))?""")
_COLS = re.compile(rb"<(?:[\w.-]+:)?cols\s*(?:/>|>(.*?)</(?:[\w.-]+:)?cols\s*>)", re.DOTALL)
_COL = re.compile(rb"<(?:[\w.-]+:)?col\s[^>]*?(?:/>|>\s*</(?:[\w.-]+:)?col\s*>)")
_MIN = re.compile(rb"""(\smin\s*=\s*["'])(\d{1,5})""")
_MAX = re.compile(rb"""(\smax\s*=\s*["'])(\d{1,5})""")


class SheetNotEditable(Exception):
    """The XML of a sheet is not written as spreadsheet programs write it, so that it cannot be edited in place."""


def edit_head(head: bytes, prefix: str, looks: Mapping[int, ColumnLook]) -> bytes:
    """Return what stands before the rows, with the looks of the new columns (position from 0 -> look)."""
    head = _DIMENSION.sub(lambda match: _widened(match, max(looks)), head, count=1)
    found = _COLS.search(head)
    cols = _cols((found and found[1]) or b"", prefix, looks)
    return head[: found.start()] + cols + head[found.end() :] if found else head + cols


def _widened(match: re.Match[bytes], last: int) -> bytes:
    """Let the dimension reach the last new column; one that reaches further stays."""
    letters = column_letter(last).encode()
    start, left, top, right, bottom = match.groups()
    if (len(right or left), right or left) >= (len(letters), letters):
        return match[0]
    return b"%b%b%b:%b%b" % (start, left, top, letters, bottom or top)


def _cols(inside: bytes, prefix: str, looks: Mapping[int, ColumnLook]) -> bytes:
    """Write the list of columns, which must rise and name no column twice, or no program opens the file."""
    new = sorted(looks)
    parts = [part for col in _COL.findall(inside) for part in _without(col, [position + 1 for position in new])]
    parts += [(position + 1, column_xml(position, looks[position], prefix=prefix).encode()) for position in new]
    name = f"{prefix}cols".encode()
    return b"<%b>%b</%b>" % (name, b"".join(col for _, col in sorted(parts)), name)


def _without(col: bytes, new: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield what is left of a column element, which may be about many, where the new columns (from 1) are taken out."""
    first, last = _MIN.search(col), _MAX.search(col)
    if first is None or last is None:
        return
    begin, end = int(first[2]), int(last[2])
    for position in [*new, end + 1]:
        if position < begin:
            continue
        if begin <= min(position - 1, end):
            with_begin = _MIN.sub(rb"\g<1>%d" % begin, col)
            yield begin, _MAX.sub(rb"\g<1>%d" % min(position - 1, end), with_begin)
        begin = position + 1
