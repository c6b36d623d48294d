"""Takes spreadsheets in: checks them in a child process, stores original and table, finds what is there already.

File first, row second; on deletion row first, file after commit: a crash leaves at most a file without a row.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from bert_training.contract.enums import TERMINAL_STATUSES, DatasetStatus, ErrorCode
from bert_training.contract.limits import UPLOAD_BYTES
from bert_training.contract.text import clean_name
from bert_training.data.digest import file_digest
from bert_training.data.parquet import read_table as read_parquet
from bert_training.data.process_limits import UPLOAD_LIMITS, ProcessLimits
from bert_training.data.table import Columns
from bert_training.models import Dataset, Run
from bert_training.models.dataset import PRIVACY_FULL
from bert_training.services.errors import DatasetGone, InUse, ServiceError, StorageAway, StorageFull
from bert_training.tasks import TASKS
from bert_training.tasks.intake import PREVIEW_ROWS, Report, check_in_sandbox

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    Upload = UploadedFile[bytes]
    StoredFile = File[bytes]
else:  # generic for the type checker only
    Upload, StoredFile = UploadedFile, File

DESCRIPTION_CHARACTERS = 2000
CHECK_FUNCTION = "bert_training.background.check_dataset"


@dataclass(frozen=True)
class UploadRequest:
    """What a file shall be read as. columns: task column -> header, or a list of headers to join."""

    task: str
    sheet: str = ""
    columns: dict[str, str | list[str]] = field(default_factory=dict)

    def digest(self) -> str:
        """Name the request: with owner and SHA-256 of the bytes it is the identity of a dataset."""
        wanted = [self.task, self.sheet, self.columns, PRIVACY_FULL]
        return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Registered:
    """A dataset, and whether this upload made it (otherwise it was there already)."""

    dataset: Dataset
    created: bool


class DatasetInvalid(ServiceError):
    """The spreadsheet cannot be used; `report` says where and why. Nothing was kept."""

    def __init__(self, report: Report) -> None:
        super().__init__(ErrorCode.INVALID_DATASET, _("The spreadsheet cannot be used as it is."))
        self.report = report


def check_upload(file: Upload, request: UploadRequest) -> Report:
    """Check a file and keep nothing."""
    _require_known_task(request)
    _require_size(file)
    with _on_disk(file) as path:
        return check_path(path, request, display_name=file.name or "")


def register_upload(
    *,
    owner: User,
    file: Upload,
    name: str,
    description: str,
    request: UploadRequest,
    visible: QuerySet[Dataset] | None = None,
) -> Registered:
    """Check and store an upload, or return the same one among those that the owner may see.

    visible: what the owner may see beside their own. Above BACKGROUND_CHECK_BYTES the row is `checking` and django-q2
    goes on. Raises DatasetInvalid (nothing kept), StorageFull, ServiceError too_large.
    """
    _require_known_task(request)
    _require_size(file)
    with _on_disk(file) as path:
        known = Dataset.objects.filter(owner=owner) if visible is None else visible
        sha256 = file_digest(path)
        existing = _same(known, sha256, request)
        if existing is not None:
            _mend_files(existing, path, request)
            return Registered(existing, created=False)
        dataset = _new_dataset(owner, file, sha256=sha256, name=name, description=description, request=request)
        if dataset.bytes > settings.BACKGROUND_CHECK_BYTES:
            return _store(dataset, request, path, None)
        with tempfile.TemporaryDirectory(prefix="bert-table-") as folder:
            table_path = Path(folder) / "table.parquet"
            report = check_path(path, request, display_name=dataset.original_name, table_path=table_path)
            if not report.valid:
                raise DatasetInvalid(report)
            for name, value in checked_fields(report).items():
                setattr(dataset, name, value)
            return _store(dataset, request, path, table_path)


def checked_fields(report: Report) -> dict[str, Any]:
    """Return what a check makes of a dataset's row."""
    return {
        "status": DatasetStatus.READY.value if report.valid else DatasetStatus.REFUSED.value,
        "sheet": report.sheet[:100],
        "columns": report.columns,
        "rows": report.rows,
        "summary": report.summary,
        "report": {"errors": [problem.as_dict() for problem in report.errors], "counts": report.counts},
        "table_sha256": report.table_sha256,
        "table_bytes": report.table_bytes,
        "progress": 100,
    }


def _require_known_task(request: UploadRequest) -> None:
    if request.task not in TASKS:
        message = _("There is no task %(task)s. There are: %(known)s.")
        message %= {"task": clean_name(request.task, characters=100), "known": ", ".join(TASKS)}
        raise ServiceError(ErrorCode.INVALID_FIELD, message, errors=[{"path": "task", "message": message}])


def _require_size(file: Upload) -> None:
    if (file.size or 0) > UPLOAD_BYTES:
        message = _("The file is larger than %(limit)s MiB.") % {"limit": UPLOAD_BYTES // 2**20}
        raise ServiceError(ErrorCode.TOO_LARGE, message, http_status=413, limit=UPLOAD_BYTES)


def check_path(
    path: Path,
    request: UploadRequest,
    *,
    display_name: str,
    table_path: Path | None = None,
    limits: ProcessLimits = UPLOAD_LIMITS,
) -> Report:
    """Check a file in the child process as it was asked for; see tasks.intake."""
    return check_in_sandbox(
        path,
        task=request.task,
        sheet=request.sheet or None,
        columns=request.columns or None,
        display_name=display_name,
        table_path=table_path,
        limits=limits,
    )


@contextmanager
def _on_disk(file: StoredFile) -> Iterator[Path]:
    """Give an upload or a stored file a path for as long as the block runs: the child process reads files."""
    with tempfile.TemporaryDirectory(prefix="bert-file-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        yield path


def _same(known: QuerySet[Dataset], sha256: str, request: UploadRequest) -> Dataset | None:
    same = known.filter(sha256=sha256, request_digest=request.digest(), deleted_at__isnull=True)
    return same.exclude(status=DatasetStatus.REFUSED).order_by("id").first()


def _mend_files(dataset: Dataset, original: Path, request: UploadRequest) -> None:
    """Put back what the store has lost or changed: the user holds the same bytes in the hand."""
    if not _is_whole(dataset.original_key, dataset.sha256):
        drop_files([dataset.original_key])
        put_file(dataset.original_key, original)
    if not dataset.is_ready or _is_whole(dataset.table_key, dataset.table_sha256):
        return
    with tempfile.TemporaryDirectory(prefix="bert-table-") as folder:
        table_path = Path(folder) / "table.parquet"
        report = check_path(original, request, display_name=dataset.original_name, table_path=table_path)
        if not report.valid:
            raise DatasetInvalid(report)
        drop_files([dataset.table_key])
        put_file(dataset.table_key, table_path)
        # Another version of the Parquet library writes the same rows as other bytes.
        Dataset.objects.filter(pk=dataset.pk).update(table_sha256=report.table_sha256, table_bytes=report.table_bytes)


def _new_dataset(
    owner: User, file: Upload, *, sha256: str, name: str, description: str, request: UploadRequest
) -> Dataset:
    original_name = clean_name(Path(file.name or "").name, characters=255) or "dataset.xlsx"
    return Dataset(
        owner=owner,
        name=clean_name(name) or clean_name(Path(original_name).stem),
        description=clean_name(description, characters=DESCRIPTION_CHARACTERS),
        task=request.task,
        original_name=original_name,
        sha256=sha256,
        bytes=file.size or 0,
        sheet=request.sheet[:100],
        columns=request.columns,
        request_digest=request.digest(),
    )


def _store(dataset: Dataset, request: UploadRequest, original: Path, table: Path | None) -> Registered:
    """Store the files, then the row; when the row is refused (a parallel upload won), the files go again.

    When the database is lost at COMMIT nobody knows whether the row is there: the files stay, the sweep decides.
    """
    try:
        put_file(dataset.original_key, original)
        if table is not None:
            put_file(dataset.table_key, table)
        with transaction.atomic():
            dataset.save()
            if dataset.status == DatasetStatus.CHECKING:
                async_task(CHECK_FUNCTION, dataset.pk)
    except IntegrityError:
        drop_files([dataset.original_key, dataset.table_key])
        existing = _same(Dataset.objects.filter(owner=dataset.owner), dataset.sha256, request)
        if existing is None:
            raise
        return Registered(existing, created=False)
    except StorageFull:
        drop_files([dataset.original_key, dataset.table_key])
        raise
    logger.info("dataset stored", extra={"dataset": dataset.pk, "bytes": dataset.bytes, "rows": dataset.rows})
    return Registered(dataset, created=True)


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


def open_original(dataset: Dataset) -> StoredFile:
    """Open the uploaded bytes; raises DatasetGone, StorageAway."""
    return _open(dataset.original_key, dataset.sha256)


def open_table(dataset: Dataset) -> StoredFile:
    """Open the canonical Parquet table; raises DatasetGone, StorageAway."""
    return _open(dataset.table_key, dataset.table_sha256)


def damage_of(dataset: Dataset) -> list[str]:
    """Name the stored files of a dataset that are missing or not as they were; reads them from end to end.

    Raises StorageAway.
    """
    files = [(_("the spreadsheet"), dataset.original_key, dataset.sha256)]
    if dataset.is_ready:
        files.append((_("the table made of it"), dataset.table_key, dataset.table_sha256))
    return [name for name, key, sha256 in files if not _is_whole(key, sha256)]


def require_table(dataset: Dataset) -> None:
    """Raise DatasetGone when the canonical table is not stored any more, StorageAway when nobody can say."""
    with _reading(dataset.table_key):
        if not default_storage.exists(dataset.table_key):
            raise FileNotFoundError


def _open(key: str, sha256: str) -> StoredFile:
    """Open a stored file whose bytes are those that were checked: a run must not train on others. 50 MB take 0.1 s."""
    digest = hashlib.sha256()
    with _reading(key):
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
def _reading(key: str) -> Iterator[None]:
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


def _is_whole(key: str, sha256: str) -> bool:
    try:
        _open(key, sha256).close()
    except DatasetGone:
        return False
    return True


@contextmanager
def stored_copy(key: str, sha256: str) -> Iterator[Path]:
    """Copy a stored file to a temporary path for as long as the block runs; raises DatasetGone, StorageAway."""
    with _open(key, sha256) as source, _on_disk(source) as path:
        yield path


def read_table(dataset: Dataset, names: Sequence[str] | None = None) -> Columns:
    """Read the canonical table, or some of its columns; raises DatasetGone, StorageAway."""
    with stored_copy(dataset.table_key, dataset.table_sha256) as path:
        return read_parquet(path, names)


def preview_rows(dataset: Dataset, limit: int = PREVIEW_ROWS) -> list[dict[str, Any]]:
    """Return the first canonical rows: {"row": number, task column: value}."""
    table = read_table(dataset)
    return [{name: values[index] for name, values in table.items()} for index in range(min(limit, dataset.rows))]


def update_dataset(dataset: Dataset, *, name: str | None = None, description: str | None = None) -> None:
    """Rename or describe a dataset; None leaves a field as it is."""
    if name is not None:
        dataset.name = clean_name(name)
    if description is not None:
        dataset.description = clean_name(description, characters=DESCRIPTION_CHARACTERS)
    dataset.save(update_fields=["name", "description"])


def delete_dataset(dataset: Dataset) -> None:
    """Delete files, summary and report; raises InUse while a queued or running run needs them.

    The row goes too, unless runs that have ended stand on it: they keep its name and digest.
    """
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=dataset.pk)
        runs = Run.objects.filter(dataset=dataset)
        if runs.exclude(status__in=TERMINAL_STATUSES).exists():
            raise InUse(ErrorCode.IN_USE, _("A run in the queue or in training needs this dataset."))
        if runs.exists():
            Dataset.objects.filter(pk=dataset.pk).update(deleted_at=Now(), summary={}, report={}, description="")
        else:
            dataset.delete()
        keys = [dataset.original_key, dataset.table_key]
        transaction.on_commit(lambda: drop_files(keys))
