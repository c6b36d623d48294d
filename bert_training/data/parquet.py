"""Writes and reads the canonical table: Parquet with `row` int32 first, texts as strings, tokens as lists of strings.

The same rows give the same bytes on every machine with the same pyarrow: no pandas metadata, one codec, no threads.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bert_training.data.table import ROW, Columns


def write_table(columns: Columns, path: Path) -> None:
    """Write the columns; the type of each follows from its name and first value."""
    arrays = {name: pa.array(values, type=_type_of(name, values)) for name, values in columns.items()}
    pq.write_table(pa.table(arrays), path, compression="zstd", version="2.6", store_schema=False)


def read_table(path: Path, names: Sequence[str] | None = None) -> Columns:
    """Read a canonical table, or some of its columns, as lists."""
    table = pq.read_table(path, columns=None if names is None else list(names), use_threads=False)
    columns: Columns = table.to_pydict()
    return columns


def _type_of(name: str, values: list[Any]) -> pa.DataType:
    if name == ROW:
        return pa.int32()
    return pa.list_(pa.string()) if values and isinstance(values[0], list) else pa.string()
