"""Adds columns to the XML of a sheet while it streams by: every byte that is not about them stays as it was.

No XML parser: tags only, in a part that reading.archive has judged sound. What stands in CDATA or comments is no tag.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from bert_training.data.table import column_letter
from bert_training.data.writing.sheet_cells import text_cell
from bert_training.data.writing.sheet_head import HEAD_BYTES, SheetNotEditable, edit_head
from bert_training.data.writing.sheet_ranges import column_position, widen_filter
from bert_training.data.writing.workbook import ColumnLook

CHUNK_BYTES = 4 * 1024 * 1024

_NO_TAGS = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_SHEET_DATA = re.compile(rb"<((?:[\w.-]+:)?)sheetData\s*>")
_ROW_NUMBER = re.compile(rb"""\sr\s*=\s*["'](\d{1,7})["']""")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_STYLE = re.compile(rb"""\ss\s*=\s*["'](\d{1,6})["']""")
_SPANS = re.compile(rb"""\sspans\s*=\s*(?:"[^"]*"|'[^']*')""")  # a hint for readers, which would be wrong now

TextsOf = Callable[[int], Sequence[str]]


@dataclass(frozen=True)
class AddedColumn:
    """A column to write. position: in the sheet, from 0; cells that are there already give way."""

    position: int
    header: str
    look: ColumnLook = field(default_factory=ColumnLook)


@dataclass(frozen=True)
class Additions:
    """What to write beside the rows of a sheet.

    columns: in rising order of their positions.  texts_of: number of a row below the header -> one text a column, ""
    for no cell; nothing at all leaves the row as it is.
    """

    columns: Sequence[AddedColumn]
    header_row: int
    texts_of: TextsOf

    @property
    def names(self) -> list[tuple[int, str]]:
        """Position and header of each column."""
        return [(column.position, column.header) for column in self.columns]

    def texts_at(self, row: int) -> Sequence[str]:
        """Return what to write into a row of the sheet: headers, texts or nothing."""
        return [column.header for column in self.columns] if row == self.header_row else self.texts_of(row)


@dataclass(frozen=True)
class _Cell:
    """Where a cell starts and ends in its row, and its column from 0."""

    start: int
    end: int
    column: int
    attributes: bytes
    has_reference: bool


class SheetEditor:
    """Edits one sheet; holds what its tags look like and the number of the row that was read last."""

    def __init__(self, prefix: bytes, additions: Additions) -> None:
        self._additions = additions
        self._prefix = prefix.decode()
        self._letters = [column_letter(column.position) for column in additions.columns]
        self._number = 0
        tag = re.escape(prefix)
        self._row = re.compile(rb"<%brow((?:\s[^>]*?)?)(?:/>|>(.*?)</%brow\s*>)" % (tag, tag), re.DOTALL)
        self._cell = re.compile(rb"<%bc((?:\s[^>]*?)?)(?:/>|>.*?</%bc\s*>)" % (tag, tag), re.DOTALL)
        self._open_row = b"<" + prefix + b"row"
        self._end = b"</" + prefix + b"sheetData"

    def edit_rows(self, source: IO[bytes], window: bytes) -> Iterator[bytes]:
        """Yield the part from its first row to its end. window: what has been read of it."""
        while True:
            mask = _tags_only(window)
            end = mask.find(self._end)
            cut = end if end >= 0 else max(mask.rfind(self._open_row), 0)  # the last row may go on in the next chunk
            yield from self._edit(window[:cut], mask[:cut])
            window = window[cut:]
            if end >= 0:
                break
            if not (block := source.read(CHUNK_BYTES)):
                raise SheetNotEditable("the rows have no end")
            window += block
        yield widen_filter(window + source.read(CHUNK_BYTES), self._additions.names, self._additions.header_row)
        while block := source.read(CHUNK_BYTES):
            yield block

    def _edit(self, raw: bytes, mask: bytes) -> Iterator[bytes]:
        done = 0
        for row in self._row.finditer(mask):
            content = row.span(2) if row[2] is not None else None
            cells = list(self._cells(mask, content)) if content else []
            self._number = self._number_of(row[1], cells, mask)
            texts = self._additions.texts_at(self._number)
            if any(texts):
                yield raw[done : row.start()]
                yield self._row_with(raw, row, cells, texts)
                done = row.end()
        yield raw[done:]

    def _cells(self, mask: bytes, content: tuple[int, int]) -> Iterator[_Cell]:
        """Yield the cells of a row; one without a reference stands to the right of the one before it."""
        column = -1
        for cell in self._cell.finditer(mask, *content):
            reference = _REFERENCE.search(cell[1])
            column = column_position(reference[1]) if reference else column + 1
            yield _Cell(cell.start(), cell.end(), column, cell[1], reference is not None)

    def _number_of(self, attributes: bytes, cells: list[_Cell], mask: bytes) -> int:
        """Return the number of a row as the reader takes it: the cells' own, else the row's, else the next."""
        reference = _REFERENCE.search(cells[-1].attributes) if cells else None
        if reference:
            return int(reference[2])
        number = _ROW_NUMBER.search(attributes)
        return int(number[1]) if number else self._number + 1

    def _row_with(self, raw: bytes, row: re.Match[bytes], cells: list[_Cell], texts: Sequence[str]) -> bytes:
        start = self._open_row + _SPANS.sub(b"", raw[row.start(1) : row.end(1)]) + b">"
        added = self._added(cells, texts)
        if row[2] is None:
            return start + b"".join(added.values()) + b"</" + self._open_row[1:] + b">"
        first = row.start(2)
        if not cells or cells[-1].column < min(added):
            place = cells[-1].end if cells else first
            return start + raw[first:place] + b"".join(added.values()) + raw[place : row.end()]
        pieces = {cell.column: self._piece(raw, cell) for cell in cells} | added
        merged = b"".join(pieces[column] for column in sorted(pieces))
        return start + raw[first : cells[0].start] + merged + raw[cells[-1].end : row.end()]

    def _piece(self, raw: bytes, cell: _Cell) -> bytes:
        """Return the bytes of one cell, with its reference: new cells before it would move it to the right."""
        if cell.has_reference:
            return raw[cell.start : cell.end]
        name = self._open_row[:-3] + b"c"
        reference = f' r="{column_letter(cell.column)}{self._number}"'.encode()
        return name + reference + raw[cell.start + len(name) : cell.end]

    def _added(self, cells: list[_Cell], texts: Sequence[str]) -> dict[int, bytes]:
        """Return column -> cell. Headers look like the header to the left of them."""
        style = self._header_style(cells) if self._number == self._additions.header_row else ""
        added = {}
        for column, letter, text in zip(self._additions.columns, self._letters, texts, strict=True):
            cell = text_cell(f"{letter}{self._number}", text, attributes=style, prefix=self._prefix) if text else ""
            # In ASCII, whatever the encoding of the part; an empty piece takes an older text away.
            added[column.position] = cell.encode("ascii", "xmlcharrefreplace")
        return added

    def _header_style(self, cells: list[_Cell]) -> str:
        first = self._additions.columns[0].position
        left = [cell for cell in cells if cell.column < first]
        style = _STYLE.search(left[-1].attributes) if left else None
        return f' s="{style[1].decode()}"' if style else ""


def edit_sheet(source: IO[bytes], additions: Additions) -> Iterator[bytes]:
    """Yield the sheet with its added columns. Raises SheetNotEditable for XML that is not written in plain tags."""
    window = b""
    while not (start := _SHEET_DATA.search(_tags_only(window))):
        block = source.read(CHUNK_BYTES)
        if not block or len(window) > HEAD_BYTES or b"\x00" in block[:4]:
            raise SheetNotEditable("no rows found")
        window += block
    looks = {column.position: column.look for column in additions.columns}
    yield edit_head(window[: start.start()], start[1].decode(), looks)
    yield window[start.start() : start.end()]
    yield from SheetEditor(start[1], additions).edit_rows(source, window[start.end() :])


def _tags_only(window: bytes) -> bytes:
    """Blank out what looks like tags but is none; every byte keeps its place."""
    return _NO_TAGS.sub(lambda match: b" " * len(match[0]), window) if b"<!" in window else window
