"""The kinds of files that rows are read from, and what differs between them."""

from enum import StrEnum


class FileKind(StrEnum):
    """What a file is by its content, whatever its name says."""

    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    JSON = "json"
    PARQUET = "parquet"
    CONLL = "conll"


WORKBOOKS = frozenset({FileKind.XLSX, FileKind.XLS, FileKind.ODS})
# Opened in a spreadsheet program their cells have names such as B17; records and sentences have a number only.
WITH_CELL_NAMES = WORKBOOKS | {FileKind.CSV, FileKind.TSV}

EXCEL_CELL_CHARACTERS = 32_767  # Excel's own limit
CELL_CHARACTERS = 1_000_000


def cell_limit(kind: FileKind) -> int:
    """Return how many characters a cell may have."""
    return EXCEL_CELL_CHARACTERS if kind in (FileKind.XLSX, FileKind.XLS) else CELL_CHARACTERS
