"""Looks for texts that must be gone: in every table, in every stored file, in every file of a folder."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.core.files.storage import default_storage
from django.db import connection


def tables_with(canary: str) -> list[str]:
    """Name the tables of which any value of any column holds the canary, Django's own tables too."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - names of our tables
            if any(holds(content_of(value), canary) for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


def content_of(value: object) -> bytes:
    """Return what a column holds as bytes; JSON as the text in it, whatever way it was escaped."""
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    text = str(value)
    with suppress(UnicodeError):
        text += text.encode().decode("unicode_escape")
    return text.encode("utf-8", "replace")


def stored_keys() -> set[str]:
    """Return the keys of all files in the store; those of other tests are among them, so S3 is asked in one list."""
    bucket: Any = getattr(default_storage, "bucket", None)
    return {entry.key for entry in bucket.objects.all()} if bucket is not None else set(_keys(""))


def holds_in_store(canary: str, keys: set[str]) -> list[str]:
    """Name those of these stored files that hold the canary."""
    return sorted(key for key in keys if holds(default_storage.open(key).read(), canary))


def _keys(folder: str) -> Iterator[str]:
    with suppress(FileNotFoundError):
        folders, files = default_storage.listdir(folder)
        yield from (f"{folder}/{name}".lstrip("/") for name in files)
        for name in folders:
            yield from _keys(f"{folder}/{name}".lstrip("/"))


def files_with(canary: str, folder: Path) -> list[str]:
    """Name the files below a folder that hold the canary, in their bytes or packed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in files if holds(path.read_bytes(), canary)]


def holds(content: bytes, canary: str) -> bool:
    """Tell whether bytes hold the canary as text, or as a workbook, Parquet file or zlib stream of it."""
    return any(canary.encode() in part for part in (content, *_unpacked(content)))


def _unpacked(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    elif content.startswith(b"PAR1"):
        yield str(pq.read_table(io.BytesIO(content)).to_pydict()).encode()
    elif content.startswith(b"x"):
        with suppress(zlib.error):
            yield zlib.decompress(content)
