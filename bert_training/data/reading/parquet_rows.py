"""Reads a .parquet file in batches, within limits that its metadata must keep first.

Plain columns and lists of plain values are read; the metadata that pandas and others leave is never looked at.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bert_training.data.cells import clean_cell
from bert_training.data.reading.archive import UNPACKED_BYTES, UNPACKED_RATIO
from bert_training.data.reading.file_kind import ENCRYPTED_PARQUET_MAGIC, PARQUET_MAGIC
from bert_training.data.reading.kinds import FileKind
from bert_training.data.reading.refusals import damaged, encrypted, too_large_unpacked
from bert_training.data.reading.sheet import ROWS, Rows, Sheet, check_width, no_rows, too_many_rows

UNFOLDED_BYTES = 64 * 1024 * 1024  # below this the ratio does no harm: a column of labels unfolds 1,000 times
BATCH_ROWS = 64  # a dictionary may stand for a text of a megabyte in every row: few rows are unfolded at once

_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_fixed_size_list)
_MOMENTS = (pa.types.is_date, pa.types.is_time, pa.types.is_duration, pa.types.is_null)


def read_parquet(path: Path, name: str) -> Sheet:
    """Read all columns that can be texts. Raises DatasetRefused."""
    _check_ends(path)
    try:
        with pq.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            _check_metadata(file.metadata, path)
            schema = file.schema_arrow
            rows = _take_rows(file, path.stat().st_size)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError, KeyError, OverflowError) as error:
        raise damaged(str(error)) from error
    if not len(rows):
        raise no_rows(name)
    return Sheet(
        path=path,
        name=name,
        index=0,
        first_column=0,
        header=[clean_cell(column) for column in schema.names],
        row_numbers=rows.numbers,
        rows=rows.values,
        kind=FileKind.PARQUET,
        unreadable={at: str(field.type) for at, field in enumerate(schema) if not _can_be_text(field.type)},
    )


def _check_ends(path: Path) -> None:
    """Refuse a file whose end is missing, or that is encrypted, before the library looks for a footer."""
    with path.open("rb") as file:
        first = file.read(4)
        file.seek(max(0, path.stat().st_size - 4))
        last = file.read(4)
    if ENCRYPTED_PARQUET_MAGIC in (first, last):
        raise encrypted()
    if last != PARQUET_MAGIC or path.stat().st_size < 12:
        raise damaged("the end of the file is missing")


def _check_metadata(metadata: pq.FileMetaData, path: Path) -> None:
    check_width(metadata.num_columns)
    if metadata.num_rows > ROWS:
        raise too_many_rows()
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > UNPACKED_BYTES:
        raise too_large_unpacked(unpacked, path.stat().st_size)


def _take_rows(file: pq.ParquetFile, file_bytes: int) -> Rows:
    """Unfold the file batch by batch; the size of what is unfolded counts, not what the metadata says."""
    rows, unpacked = Rows(), 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False, use_pandas_metadata=False):
        columns = [_plain(column) for column in batch.columns]
        unpacked += sum(column.nbytes for column in columns)
        if unpacked > UNPACKED_BYTES or unpacked > max(UNFOLDED_BYTES, UNPACKED_RATIO * file_bytes):
            raise too_large_unpacked(unpacked, file_bytes)
        for values in zip(*(column.to_pylist() for column in columns), strict=True):
            rows.add(len(rows) + 1, values)
    return rows


def _plain(column: pa.Array) -> pa.Array:
    """Bring a column into a form whose values Python has; one that cannot be texts has none."""
    if not _can_be_text(column.type):
        return pa.nulls(len(column))
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us"), safe=False)  # nanoseconds would need pandas
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def _can_be_text(kind: pa.DataType) -> bool:
    if any(is_list(kind) for is_list in _LISTS):
        return _is_plain(kind.value_type)
    return _is_plain(kind)


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    plain = (*_NUMBERS, *_TEXTS, *_MOMENTS, pa.types.is_timestamp, pa.types.is_decimal)
    return any(is_kind(kind) for is_kind in plain)
