"""Writes and reads the canonical table: Parquet with `row` int32 first, texts as strings, tokens as lists of strings.

The same rows give the same bytes on every machine with the same pyarrow: no pandas metadata, one codec, no threads.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bert_training.data.table import ROW, Columns

GROUP_ROWS = 8_192


def write_table(columns: Columns, path: Path) -> None:
    """Write the columns; the type of each follows from its name and first value.

    Rows become bytes group by group: a table of 132,000 texts takes 10 MB beside its lists, not 130.
    """
    schema = pa.schema([(name, _type_of(name, values)) for name, values in columns.items()])
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", store_schema=False) as writer:
        for start in range(0, max(1, len(columns[ROW])), GROUP_ROWS):
            group = {name: _encoded(values[start : start + GROUP_ROWS]) for name, values in columns.items()}
            writer.write_table(pa.table(group, schema=schema))


def _encoded(values: list[Any]) -> list[Any]:
    """Write texts as bytes: pyarrow would leave the UTF-8 of every text with an accent in memory, beside the text."""
    if values and isinstance(values[0], str):
        return [text.encode() for text in values]
    if values and isinstance(values[0], list):
        return [[word.encode() for word in words] for words in values]
    return values


def read_table(path: Path, names: Sequence[str] | None = None) -> Columns:
    """Read a canonical table, or some of its columns, as lists."""
    table = pq.read_table(path, columns=None if names is None else list(names), use_threads=False)
    columns: Columns = table.to_pydict()
    return columns


def read_rows(path: Path, rows: Collection[int], names: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Return some rows of a canonical table by their number; never more than one group of rows in memory."""
    found: dict[int, dict[str, Any]] = {}
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            numbers = file.read_row_group(group, [ROW], use_threads=False)[ROW].to_pylist()
            places = [place for place, number in enumerate(numbers) if number in rows]
            if places:
                taken = file.read_row_group(group, list(names), use_threads=False).take(places).to_pylist()
                found |= {numbers[place]: values for place, values in zip(places, taken, strict=True)}
    return found


def _type_of(name: str, values: list[Any]) -> pa.DataType:
    if name == ROW:
        return pa.int32()
    return pa.list_(pa.string()) if values and isinstance(values[0], list) else pa.string()
