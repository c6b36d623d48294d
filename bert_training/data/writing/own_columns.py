"""The columns that the portal adds to somebody's spreadsheet, and the id in one of them: which file, which row.

The id stays with its row when rows are sorted, deleted or added, so that the next upload can be matched with this one.
"""

import re
from dataclasses import replace

from bert_training.data.reading.sheet import Sheet

ROW_ID_HEADER = "bert_row_id"  # the same in every language; the column is hidden
PREFIX = "Portal: "  # how the headers of the others begin, in every language
FILE_DIGITS = 12

_ROW_ID = re.compile(rf"([0-9a-f]{{{FILE_DIGITS}}}):(\d{{1,8}})", re.ASCII)


def row_id(sha256: str, row: int) -> str:
    """Name a row of the file with this digest; row: its number in the sheet, as in the canonical table."""
    return f"{sha256[:FILE_DIGITS]}:{row}"


def read_row_id(text: str) -> tuple[str, int] | None:
    """Return the first digits of the file's digest and the row, None for what is no id."""
    match = _ROW_ID.fullmatch(text)
    return (match[1], int(match[2])) if match else None


def take_row_ids(sheet: Sheet) -> list[str]:
    """Return the ids that an earlier download wrote beside the rows, one a row; nothing without that column."""
    if ROW_ID_HEADER not in sheet.header:
        return []
    position = sheet.header.index(ROW_ID_HEADER)
    return [value if isinstance(value, str) else "" for value in (row[position] for row in sheet.rows)]


def without_own(sheet: Sheet) -> Sheet:
    """Return the sheet as if the portal's columns had no name: nobody is asked about them, no task takes them."""
    return replace(sheet, header=["" if _is_own(name) else name for name in sheet.header])


def _is_own(header: str) -> bool:
    return header == ROW_ID_HEADER or header.startswith(PREFIX)
