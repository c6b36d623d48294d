"""Takes spreadsheets in: checks them in a child process, stores originals and table, finds what is there already.

File first, row second; on deletion row first, file after commit: a crash leaves at most a file without a row.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from bert_training.contract.enums import TERMINAL_STATUSES, AuditKind, DatasetStatus, ErrorCode, Split
from bert_training.contract.text import clean_name
from bert_training.data.digest import file_digest
from bert_training.models import (
    Dataset,
    DatasetManifest,
    DatasetProfile,
    DatasetShare,
    Erasure,
    Run,
    TokenLengths,
)
from bert_training.models.dataset import PRIVACY_FULL
from bert_training.services.audit import record
from bert_training.services.erasures import note_dataset_erasure
from bert_training.services.errors import DatasetGone, DatasetNotReady, InUse, QuotaExceeded, ServiceError, StorageFull
from bert_training.services.manifests import inherit_manifest
from bert_training.services.profiles import start_profile
from bert_training.services.proving.proofs import drop_predictions
from bert_training.services.quotas import queue_at_quota, require_room
from bert_training.services.rate_limits import Limit, limit_caller
from bert_training.services.sources import Sources, Uploads, request_of, require_known, stored_sources, upload_sources
from bert_training.services.stored_files import drop_files, is_cleared, is_whole, put_file
from bert_training.services.transactions import hold_dataset
from bert_training.tasks.intake import CheckRequest, Report, check_in_sandbox

logger = logging.getLogger(__name__)

DESCRIPTION_CHARACTERS = 2000
CHECK_FUNCTION = "bert_training.background.check_dataset"


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


def check_upload(uploads: Uploads, request: CheckRequest) -> Report:
    """Check files and keep nothing. Raises RateLimited."""
    limit_caller(Limit.CHECKS)
    with upload_sources(uploads, request) as sources:
        return check_in_sandbox(sources, request)


def register_upload(
    *,
    owner: User,
    uploads: Uploads,
    request: CheckRequest,
    name: str = "",
    description: str = "",
    visible: QuerySet[Dataset] | None = None,
) -> Registered:
    """Check and store an upload, or return the same one among those that the owner may train on.

    visible: what the owner may train on, their own and others'; without it their own. Above
    BACKGROUND_CHECK_BYTES the row is `checking` and django-q2 goes on. Raises DatasetInvalid (nothing kept),
    RateLimited, QuotaExceeded, StorageFull, ServiceError too_large.
    """
    limit_caller(Limit.CHECKS)
    with upload_sources(uploads, request) as sources:
        dataset = _new_dataset(owner, sources, request, name=name, description=description)
        return _register(dataset, sources, request, visible=visible)


def repair_dataset(
    dataset: Dataset, recipe: Iterable[str], *, owner: User, visible: QuerySet[Dataset] | None = None
) -> Registered:
    """Make a new dataset of the stored files of one that is ready or was refused, with these repairs more.

    Raises DatasetInvalid (nothing kept), DatasetNotReady, DatasetGone, RateLimited, QuotaExceeded, StorageAway,
    StorageFull.
    """
    limit_caller(Limit.CHECKS)
    if dataset.status == DatasetStatus.CHECKING:
        raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, _("The dataset is still being checked."))
    request = replace(request_of(dataset), recipe=sorted({*dataset.recipe, *recipe}))
    require_known(request)
    with stored_sources(dataset) as sources:
        repaired = _new_dataset(owner, sources, request, name=dataset.name, description=dataset.description)
        repaired.derived_from = dataset
        registered = _register(repaired, sources, request, visible=visible)
    if registered.created and registered.dataset.is_ready:
        inherit_manifest(registered.dataset)
    return registered


def _register(
    dataset: Dataset, sources: Sources, request: CheckRequest, *, visible: QuerySet[Dataset] | None
) -> Registered:
    known = Dataset.objects.filter(owner=dataset.owner) if visible is None else visible
    existing = _same(known, dataset)
    if existing is not None:
        _mend_files(existing, sources, request)
        if Dataset.objects.filter(pk=existing.pk, deleted_at__isnull=True).exists():
            return Registered(existing, created=False)
        is_cleared(f"{existing.folder}/*")  # deleted meanwhile: this is a new one, and nothing is put back there
    require_room(dataset)
    limit_caller(Limit.UPLOADS)
    if dataset.is_large:
        return _store(dataset, sources, None)
    with _valid_table(sources, request) as (report, table):
        for field, value in checked_fields(report).items():
            setattr(dataset, field, value)
        return _store(dataset, sources, table)


@contextmanager
def _valid_table(sources: Sources, request: CheckRequest) -> Iterator[tuple[Report, Path]]:
    """Check files and give their canonical table for as long as the block runs. Raises DatasetInvalid."""
    with tempfile.TemporaryDirectory(prefix="bert-table-") as folder:
        table = Path(folder) / "table.parquet"
        report = check_in_sandbox(sources, request, table_path=table)
        if not report.valid:
            raise DatasetInvalid(report)
        yield report, table


def checked_fields(report: Report) -> dict[str, Any]:
    """Return what a check makes of a dataset's row."""
    return {
        "status": DatasetStatus.READY.value if report.valid else DatasetStatus.REFUSED.value,
        "sheet": report.sheet[:100],
        "columns": report.columns,
        "rows": report.rows,
        "summary": report.summary,
        "report": {
            "errors": [problem.as_dict() for problem in report.errors],
            "counts": report.counts,
            "groups": [group.as_dict() for group in report.groups],
        },
        "table_sha256": report.table_sha256,
        "table_bytes": report.table_bytes,
        "progress": 100,
    }


def _same(known: QuerySet[Dataset], dataset: Dataset) -> Dataset | None:
    same = known.filter(sha256=dataset.sha256, request_digest=dataset.request_digest, deleted_at__isnull=True)
    return same.exclude(status=DatasetStatus.REFUSED).order_by("id").first()


def _mend_files(dataset: Dataset, sources: Sources, request: CheckRequest) -> None:
    """Put back what the store has lost or changed: the user holds the same bytes in the hand."""
    for split, source in sources.items():
        key = dataset.part_key(split)
        if not is_whole(key, dataset.files[split.value]["sha256"]):
            drop_files([key])
            put_file(key, source.path)
    if not dataset.is_ready or is_whole(dataset.table_key, dataset.table_sha256):
        return
    with _valid_table(sources, request) as (report, table):
        drop_files([dataset.table_key])
        put_file(dataset.table_key, table)
        # Another version of the Parquet library writes the same rows as other bytes.
        Dataset.objects.filter(pk=dataset.pk).update(table_sha256=report.table_sha256, table_bytes=report.table_bytes)


def _new_dataset(owner: User, sources: Sources, request: CheckRequest, *, name: str, description: str) -> Dataset:
    files: dict[str, dict[str, Any]] = {
        split.value: {
            "name": clean_name(source.display_name, characters=255) or "dataset.xlsx",
            "sha256": file_digest(source.path),
            "bytes": source.path.stat().st_size,
        }
        for split, source in sources.items()
    }
    first = files.pop(Split.TRAIN.value)
    asked = {name: value for name, value in asdict(request).items() if name != "task"}
    return Dataset(
        owner=owner,
        name=clean_name(name) or clean_name(Path(first["name"]).stem),
        description=clean_name(description, characters=DESCRIPTION_CHARACTERS),
        task=request.task,
        original_name=first["name"],
        sha256=first["sha256"],
        bytes=first["bytes"],
        extra_files=files,
        sheet=request.sheet[:100],
        columns=dict(request.columns),
        request=asked,
        request_digest=_request_digest(request, {part: file["sha256"] for part, file in files.items()}),
    )


def _request_digest(request: CheckRequest, extra: dict[str, str]) -> str:
    """Name the request: with owner and SHA-256 of the bytes it is the identity of a dataset.

    extra: digests of the files sent beside the first. What is not used leaves no trace, so that new ways to ask
    for something leave the digests of older datasets as they are.
    """
    recipe = sorted(set(request.recipe))
    wanted: list[Any] = [request.task, request.sheet, request.columns, PRIVACY_FULL]
    wanted += [recipe, extra] if recipe or extra else []
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def _store(dataset: Dataset, sources: Sources, table: Path | None) -> Registered:
    """Store the files, then the row; when the row is refused (a parallel upload won), the files go again.

    When the database is lost at COMMIT nobody knows whether the row is there: the files stay, the sweep decides.
    """
    try:
        for split, source in sources.items():
            put_file(dataset.part_key(split), source.path)
        if table is not None:
            put_file(dataset.table_key, table)
        with transaction.atomic():
            queue_at_quota(dataset.owner)
            require_room(dataset)
            _let_go_of_deleted(dataset)
            dataset.save()
            record(AuditKind.DATASET_UPLOADED, target=dataset, task=dataset.task, bytes=dataset.bytes)
            if dataset.status == DatasetStatus.CHECKING:
                async_task(CHECK_FUNCTION, dataset.pk)
            else:
                start_profile(dataset)
    except (IntegrityError, QuotaExceeded):
        drop_files(stored_keys(dataset))
        existing = _same(Dataset.objects.filter(owner=dataset.owner), dataset)
        if existing is None:
            raise
        return Registered(existing, created=False)
    except StorageFull:
        drop_files(stored_keys(dataset))
        raise
    logger.info("dataset stored", extra={"dataset": dataset.pk, "bytes": dataset.bytes, "rows": dataset.rows})
    return Registered(dataset, created=True)


def _let_go_of_deleted(dataset: Dataset) -> None:
    """Forget the dataset that this one was made of, if it was deleted meanwhile; else keep it until COMMIT."""
    if dataset.derived_from is None:
        return
    origin = Dataset.objects.select_for_update(no_key=True).filter(pk=dataset.derived_from.pk)
    if origin.first() is None:
        dataset.derived_from = None


def stored_keys(dataset: Dataset) -> list[str]:
    """Name all files that may be stored for a dataset."""
    parts = [dataset.part_key(Split(part)) for part in dataset.extra_files]
    workbooks = dataset.workbook_keys if dataset.is_large else []
    return [dataset.original_key, *parts, dataset.table_key, *workbooks]


def update_dataset(dataset: Dataset, *, name: str | None = None, description: str | None = None) -> None:
    """Rename or describe a dataset; None leaves a field as it is. Raises DatasetGone."""
    wanted = {}
    if name is not None:
        wanted["name"] = clean_name(name)
    if description is not None:
        wanted["description"] = clean_name(description, characters=DESCRIPTION_CHARACTERS)
    if not wanted:
        return
    for field, value in wanted.items():
        setattr(dataset, field, value)
    with transaction.atomic():
        hold_dataset(dataset.pk)  # its description would stand there again
        dataset.save(update_fields=[*wanted])
        record(AuditKind.DATASET_CHANGED, target=dataset, fields=[*wanted])


def delete_dataset(dataset: Dataset, *, by: User | None = None) -> Erasure:
    """Delete files, summary, report, profile, manifest, and the predictions of the runs that have ended, everywhere.

    The row goes too, unless such runs stand on it: they keep its name and digest, and their own figures with the names
    of labels. Returns how far the deletion has come, in the store and on the workers. Raises InUse while a queued or
    running run needs the data, DatasetGone when somebody else was faster.
    """
    with transaction.atomic():
        if Dataset.objects.select_for_update().filter(pk=dataset.pk, deleted_at__isnull=True).first() is None:
            raise DatasetGone(ErrorCode.DATASET_GONE, _("The dataset was deleted."))
        runs = Run.objects.filter(dataset=dataset)
        if runs.exclude(status__in=TERMINAL_STATUSES).exists():
            raise InUse(ErrorCode.IN_USE, _("A run in the queue or in training needs this dataset."))
        record(AuditKind.DATASET_DELETED, target=dataset)
        stored = [f"{dataset.folder}/*", *drop_predictions(runs)]
        erasure = note_dataset_erasure(dataset, by=by, stored=stored)
        if runs.exists():
            _leave_name_and_digest(dataset)
        else:
            dataset.delete()
    return erasure


def _leave_name_and_digest(dataset: Dataset) -> None:
    """Empty a dataset's row of everything that came out of its cells: also headers, for a file may have had none."""
    empty = {"summary": {}, "report": {}, "columns": {}, "request": {}, "extra_files": {}, "description": ""}
    Dataset.objects.filter(pk=dataset.pk).update(deleted_at=Now(), sheet="", original_name="", **empty)
    for made_of_it in (DatasetProfile, TokenLengths, DatasetManifest, DatasetShare):
        made_of_it.objects.filter(dataset=dataset).delete()
