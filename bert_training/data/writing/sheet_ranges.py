"""Lets the filter of a sheet and its tables reach over added columns: sorting moves only what they hold.

Without this the ids of rows would stay where they are while the rows beside them move.
"""

import re
from collections.abc import Iterable, Sequence

from bert_training.data.table import column_letter
from bert_training.data.writing.sheet_cells import cell_text

_FILTER = re.compile(rb"<(?:[\w.-]+:)?autoFilter\s[^>]*>")
_TABLE = re.compile(rb"<(?:[\w.-]+:)?table\s[^>]*>")
_REF = re.compile(rb"""(\sref\s*=\s*["'][A-Z]{1,3})(\d{1,7})(:)([A-Z]{1,3})(\d{1,7})""")
_OTHER_KINDS = re.compile(rb"""\stableType\s*=|\sheaderRowCount\s*=\s*["']0["']""")  # fed by a query; without headers
_COLUMNS = re.compile(rb"""(<(?:[\w.-]+:)?tableColumns\s[^>]*?count\s*=\s*["'])(\d+)""")
_COLUMN_ID = re.compile(rb"""<(?:[\w.-]+:)?tableColumn\s[^>]*?\bid\s*=\s*["'](\d{1,9})["']""")
_COLUMNS_END = re.compile(rb"</((?:[\w.-]+:)?)tableColumns\s*>")

Added = Sequence[tuple[int, str]]  # position from 0 and header, rising


def widen_filter(tail: bytes, added: Added, header_row: int) -> bytes:
    """Return what stands behind the rows of a sheet, its filter over the added columns if it held all others."""
    found = _FILTER.search(tail)
    if found is None:
        return tail
    wider = _widened(found[0], added, header_row)
    return tail[: found.start()] + wider + tail[found.end() :]


def widen_table(xml: bytes, added: Added, header_row: int) -> bytes:
    """Return the part of a table with the added columns in it, unchanged where they do not stand beside it."""
    table, end = _TABLE.search(xml), _COLUMNS_END.search(xml)
    if table is None or end is None or _OTHER_KINDS.search(table[0]):
        return xml
    wider = _widened(table[0], added, header_row)
    if wider == table[0]:
        return xml
    new = [header for position, header in added if position > _right_of(table[0])]
    last = max(map(int, _COLUMN_ID.findall(xml)), default=0)
    columns = _column_elements(new, prefix=end[1].decode(), first_id=last + 1)
    middle = widen_filter(xml[table.end() : end.start()], added, header_row)
    middle = _COLUMNS.sub(lambda match: match[1] + str(int(match[2]) + len(new)).encode(), middle)
    return xml[: table.start()] + wider + middle + columns + xml[end.start() :]


def _column_elements(headers: Iterable[str], *, prefix: str, first_id: int) -> bytes:
    names = (cell_text(header).replace('"', "&quot;") for header in headers)
    elements = (f'<{prefix}tableColumn id="{number}" name="{name}"/>' for number, name in enumerate(names, first_id))
    return "".join(elements).encode("ascii", "xmlcharrefreplace")


def _widened(tag: bytes, added: Added, header_row: int) -> bytes:
    """Let the range of a tag reach the last added column, if its first row is the header and the first is its next."""
    reference = _REF.search(tag)
    if reference is None or int(reference[2]) != header_row:
        return tag
    new = [position for position, _ in added if position > _right_of(tag)]
    if not new or new[0] != _right_of(tag) + 1:
        return tag
    letters = column_letter(new[-1]).encode()
    return _REF.sub(rb"\g<1>\g<2>\g<3>%b\g<5>" % letters, tag, count=1)


def _right_of(tag: bytes) -> int:
    """Return the last column of the range, from 0."""
    reference = _REF.search(tag)
    return -1 if reference is None else column_position(reference[4])


def column_position(letters: bytes) -> int:
    """Return the position of a column from 0: A is 0, AA is 26."""
    position = 0
    for letter in letters:
        position = 26 * position + letter - 64
    return position - 1
