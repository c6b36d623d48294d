"""Finds in an .ods sheet what its reader does not tell: why cells are blank, what is merged, and what is hidden.

One pass over content.xml with expat, which the judge of the container has cleared of document types before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from bert_training.data.reading.archive import open_package
from bert_training.data.reading.refusals import damaged
from bert_training.data.reading.sheet import Area
from bert_training.data.table import CellFlag

CONTENT = "content.xml"
CHUNK_BYTES = 1024 * 1024
FLAGGED_CELLS = 100_000
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})
_HIDDEN = frozenset({"collapse", "filter"})
_MARKS = (b"table:visibility=", b"table:formula=", b"-spanned=", b'"error"')
_MARK_BYTES = max(map(len, _MARKS))


@dataclass
class OdsFacts:
    """Rows count from 1, columns from 0, as in a Sheet; hidden rows are ranges: all below the data may be hidden."""

    flags: dict[tuple[int, int], CellFlag] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    hidden_rows: list[range] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)


def scan_ods(path: Path, sheet_index: int) -> OdsFacts:
    """Look at the sheet at this position, from 0; a document without any mark costs a substring search.

    Raises DatasetRefused for XML that the reader has let pass.
    """
    if not _has_marks(path):
        return OdsFacts()
    scan = _Scan(sheet_index)
    try:
        for chunk in _chunks(path):
            scan.parser.Parse(chunk, False)
    except expat.ExpatError as error:
        raise damaged(str(error)) from error
    return scan.facts


def _has_marks(path: Path) -> bool:
    tail = b""
    for chunk in _chunks(path):
        window = tail + chunk
        if any(mark in window for mark in _MARKS):
            return True
        tail = window[-_MARK_BYTES:]
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    with open_package(path) as package, package.open(CONTENT) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


class _Scan:
    """Counts rows and columns with their repetitions while the document streams by."""

    def __init__(self, sheet_index: int) -> None:
        self.facts = OdsFacts()
        self._tables_before = sheet_index
        self._depth = 0  # of tables inside each other
        self._row, self._column, self._sheet_column = 1, 0, 0
        self._row_repeats = 1
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._depth += 1
        elif self._depth != 1 or self._tables_before:
            return
        elif name == "table:table-column":
            self._take_column(attributes)
        elif name == "table:table-row":
            self._column, self._row_repeats = 0, _number(attributes, "table:number-rows-repeated", LAST_ROW)
            if attributes.get("table:visibility") in _HIDDEN:
                self.facts.hidden_rows.append(range(self._row, self._row + self._row_repeats))
        elif name in _CELLS:
            self._take_cell(name, attributes)

    def _end(self, name: str) -> None:
        if name == "table:table":
            self._depth -= 1
            if self._depth == 0:
                self._tables_before -= 1
        elif name == "table:table-row" and self._depth == 1:
            self._row += self._row_repeats

    def _take_column(self, attributes: dict[str, str]) -> None:
        first = self._sheet_column
        self._sheet_column += _number(attributes, "table:number-columns-repeated", LAST_COLUMN)
        if attributes.get("table:visibility") in _HIDDEN:
            self.facts.hidden_columns.update(range(first, min(self._sheet_column, LAST_COLUMN)))

    def _take_cell(self, name: str, attributes: dict[str, str]) -> None:
        column = self._column
        self._column += _number(attributes, "table:number-columns-repeated", LAST_COLUMN)
        down = _number(attributes, "table:number-rows-spanned", LAST_ROW)
        right = _number(attributes, "table:number-columns-spanned", LAST_COLUMN)
        if down > 1 or right > 1:
            top = self._row - 1
            self.facts.merged.append(((top, column), (top + down - 1, column + right - 1)))
        flag = _flag_of(attributes)
        if flag is not None and len(self.facts.flags) < FLAGGED_CELLS:
            self.facts.flags[self._row, column] = flag


def _flag_of(attributes: dict[str, str]) -> CellFlag | None:
    if attributes.get("calcext:value-type") == "error":
        return CellFlag.ERROR
    if "table:formula" in attributes and "office:value-type" not in attributes:
        return CellFlag.FORMULA
    return None


def _number(attributes: dict[str, str], name: str, most: int) -> int:
    """Read a count that is 1 when it is left out."""
    text = attributes.get(name, "1")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else 1
