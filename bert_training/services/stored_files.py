"""The files of datasets in the store: put, opened only as they were checked, read as a table, dropped.

A file that is gone ends a run, a store that is away only costs time: callers are told which.
"""

import hashlib
import logging
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split
from bert_training.data.parquet import read_rows
from bert_training.data.parquet import read_table as read_parquet
from bert_training.data.table import Columns
from bert_training.models import Dataset
from bert_training.services.errors import DatasetGone, StorageAway, StorageFull
from bert_training.services.frequent_events import record_export
from bert_training.tasks import TASKS
from bert_training.tasks.intake import PREVIEW_ROWS

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    Upload = UploadedFile[bytes]
    StoredFile = File[bytes]
else:  # generic for the type checker only
    Upload, StoredFile = UploadedFile, File


@contextmanager
def on_disk(file: StoredFile) -> Iterator[Path]:
    """Give an upload or a stored file a path for as long as the block runs: the child process reads files."""
    with tempfile.TemporaryDirectory(prefix="bert-file-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        yield path


def put_file(key: str, path: Path) -> None:
    """Store a file; raises StorageFull when it cannot be kept."""
    try:
        with path.open("rb") as source:
            default_storage.save(key, File(source))
    except (OSError, BotoCoreError, ClientError) as error:
        logger.error("file not stored", extra={"key": key, "error": type(error).__name__})
        message = _("The file could not be stored. Nothing was kept; try again later.")
        raise StorageFull(ErrorCode.STORAGE_FULL, message, retry_after=60) from error


def drop_files(keys: Sequence[str]) -> None:
    """Delete stored files as far as they exist; one that cannot be deleted is left to the daily sweep."""
    for key in keys:
        try:
            default_storage.delete(key)
        except (OSError, BotoCoreError, ClientError) as error:
            logger.warning("file not deleted", extra={"key": key, "error": type(error).__name__})


def is_cleared(place: str) -> bool:
    """Delete a stored file and tell whether nothing is left; a place that ends with * is all files that begin so."""
    try:
        names = _names_at(place)
        drop_files(names)
        return not any(default_storage.exists(name) for name in names)
    except (OSError, BotoCoreError, ClientError) as error:
        logger.warning("store not cleared", extra={"key": place, "error": type(error).__name__})
        return False


def _names_at(place: str) -> list[str]:
    if not place.endswith("*"):
        return [place]
    folder, _slash, beginning = place.removesuffix("*").rpartition("/")
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:  # nothing was ever stored in this folder
        return []
    return [f"{folder}/{name}" for name in names if name.startswith(beginning)]


def open_original(dataset: Dataset, part: Split = Split.TRAIN) -> StoredFile:
    """Open the uploaded bytes of one file; raises DatasetGone, StorageAway, KeyError when it has no such part."""
    file = open_stored(dataset.part_key(part), dataset.files[part]["sha256"])
    record_export(dataset, what="original", part=part)
    return file


def open_table(dataset: Dataset) -> StoredFile:
    """Open the canonical Parquet table; raises DatasetGone, StorageAway."""
    return open_stored(dataset.table_key, dataset.table_sha256)


def damage_of(dataset: Dataset) -> list[str]:
    """Name the stored files of a dataset that are missing or not as they were; reads them from end to end.

    Raises StorageAway.
    """
    files = [(_("the spreadsheet"), dataset.original_key, dataset.sha256)]
    files += [
        (file["name"], dataset.part_key(Split(part)), file["sha256"]) for part, file in dataset.extra_files.items()
    ]
    if dataset.is_ready:
        files.append((_("the table made of it"), dataset.table_key, dataset.table_sha256))
    return [name for name, key, sha256 in files if not is_whole(key, sha256)]


def require_table(dataset: Dataset) -> None:
    """Raise DatasetGone when the canonical table is not stored any more, StorageAway when nobody can say."""
    with reading(dataset.table_key):
        if not default_storage.exists(dataset.table_key):
            raise FileNotFoundError


def open_stored(key: str, sha256: str) -> StoredFile:
    """Open a stored file whose bytes are those that were checked: a run must not train on others. 50 MB take 0.1 s."""
    digest = hashlib.sha256()
    with reading(key):
        file: StoredFile = default_storage.open(key, "rb")
        for chunk in file.chunks():
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        file.close()
        logger.error("stored file was changed", extra={"key": key})
        raise DatasetGone(ErrorCode.DATASET_GONE, _("The stored file of this dataset was changed."))
    file.seek(0)
    return file


@contextmanager
def reading(key: str) -> Iterator[None]:
    """Tell a file that is gone, which ends a run, from a store that is away, which only costs time."""
    try:
        yield
    except FileNotFoundError as error:
        logger.error("stored file is missing", extra={"key": key})
        raise DatasetGone(ErrorCode.DATASET_GONE, _("The stored file of this dataset is missing.")) from error
    except (OSError, BotoCoreError, ClientError) as error:
        logger.error("stored file not read", extra={"key": key, "error": type(error).__name__})
        message = _("The stored file cannot be read at the moment. Try again later.")
        raise StorageAway(ErrorCode.UNAVAILABLE, message) from error


def is_whole(key: str, sha256: str) -> bool:
    """Tell whether a stored file is there and unchanged; reads it from end to end. Raises StorageAway."""
    try:
        open_stored(key, sha256).close()
    except DatasetGone:
        return False
    return True


@contextmanager
def stored_copy(key: str, sha256: str) -> Iterator[Path]:
    """Copy a stored file to a temporary path for as long as the block runs; raises DatasetGone, StorageAway."""
    with open_stored(key, sha256) as source, on_disk(source) as path:
        yield path


def read_table(dataset: Dataset, names: Sequence[str] | None = None) -> Columns:
    """Read the canonical table, or some of its columns; raises DatasetGone, StorageAway."""
    with stored_copy(dataset.table_key, dataset.table_sha256) as path:
        return read_parquet(path, names)


def read_some_rows(dataset: Dataset, rows: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return what the task's columns hold in some rows of the table, by number; raises DatasetGone, StorageAway."""
    names = [column.name for column in TASKS[dataset.task].columns]
    with stored_copy(dataset.table_key, dataset.table_sha256) as path:
        return read_rows(path, rows, names)


def preview_rows(dataset: Dataset, limit: int = PREVIEW_ROWS) -> list[dict[str, Any]]:
    """Return the first canonical rows: {"row": number, task column: value}."""
    table = read_table(dataset)
    return [{name: values[index] for name, values in table.items()} for index in range(min(limit, dataset.rows))]
