"""Manifests for people: the split of a run as CSV, and a split of their own for a dataset, checked both ways."""

import logging
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, ErrorCode, Split
from bert_training.contract.text import clean_name
from bert_training.data.checks import DatasetRefused
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.splitting.manifest import LETTER_OF, SPLIT_OF
from bert_training.data.splitting.manifest_sheet import check_manifest, write_manifest
from bert_training.data.table import PARTS, ROW
from bert_training.models import Dataset, DatasetManifest, Run
from bert_training.services.audit import record
from bert_training.services.csv_form import PLAIN, CsvForm
from bert_training.services.divisions import division_of, pack_letters, unpack_letters
from bert_training.services.errors import DatasetNotReady, ServiceError
from bert_training.services.frequent_events import record_export
from bert_training.services.sources import require_size
from bert_training.services.stored_files import Upload, on_disk, read_table, stored_copy
from bert_training.services.transactions import hold_dataset

logger = logging.getLogger(__name__)


class ManifestInvalid(ServiceError):
    """The manifest does not fit the dataset; `errors` (Problem.as_dict) and `counts` say where. Nothing was kept."""

    def __init__(self, errors: list[dict[str, Any]], counts: dict[str, int]) -> None:
        super().__init__(ErrorCode.INVALID_MANIFEST, _("The manifest does not fit the data. Nothing was kept."))
        self.errors = errors
        self.counts = counts


@dataclass(frozen=True)
class ManifestFacts:
    """What an uploaded manifest says, in numbers."""

    manifest: DatasetManifest
    rows: dict[str, int]  # by split
    left_out: int


def run_manifest_csv(run: Run, form: CsvForm = PLAIN) -> bytes:
    """Return which row of the spreadsheet was in which split of a run, as CSV. Raises DatasetGone, StorageAway."""
    rows = read_table(run.dataset, [ROW])[ROW]
    splits = [SPLIT_OF[letter] for letter in division_of(run).letters]
    record_export(run, what="manifest")
    return form.mark + write_manifest(rows, splits, file_names(run.dataset), separator=form.separator).encode()


def upload_manifest(dataset: Dataset, file: Upload) -> ManifestFacts:
    """Check and keep a manifest: runs created from now on use it instead of shares and files.

    Raises ManifestInvalid, DatasetNotReady, DatasetGone, StorageAway, ServiceError too_large.
    """
    if not dataset.is_ready:
        raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, _("The dataset is not ready for a manifest."))
    require_size([file])
    name = clean_name(file.name or "", characters=255) or "manifest.csv"
    with on_disk(file) as path, stored_copy(dataset.table_key, dataset.table_sha256) as table:
        arguments = {
            "path": str(path.resolve()),
            "display_name": name,
            "table_path": str(table.resolve()),
            "files": file_names(dataset),
        }
        try:
            found = run_in_sandbox(f"{check_manifest.__module__}.{check_manifest.__name__}", arguments)
        except DatasetRefused as refusal:
            raise ManifestInvalid([refusal.problem.as_dict()], {refusal.problem.code: 1}) from None
    if found["errors"]:
        raise ManifestInvalid(found["errors"], found["counts"])
    manifest = _store(dataset, letters=found["letters"], name=name)
    logger.info("manifest stored", extra={"dataset": dataset.pk})
    return facts_of(manifest)


def _store(dataset: Dataset, *, letters: str, name: str) -> DatasetManifest:
    fields = {"letters": pack_letters(letters), "original_name": name, "created_at": timezone.now()}
    with transaction.atomic():
        hold_dataset(dataset.pk)
        manifest, _is_new = DatasetManifest.objects.update_or_create(dataset=dataset, defaults=fields)
        record(AuditKind.MANIFEST_UPLOADED, target=dataset)
    return manifest


def inherit_manifest(dataset: Dataset) -> None:
    """Give a repaired dataset the manifest of the one that it was made of, for the rows that both have.

    Rows that only this one has are for training, where protection keeps copies of them out. Raises StorageAway,
    DatasetGone.
    """
    origin = dataset.derived_from
    manifest = DatasetManifest.objects.filter(dataset=origin).first()
    if origin is None or manifest is None:
        return
    letter_of = dict(zip(read_table(origin, [ROW])[ROW], unpack_letters(manifest.letters), strict=True))
    unknown = LETTER_OF[Split.TRAIN]
    letters = "".join(letter_of.get(row, unknown) for row in read_table(dataset, [ROW])[ROW])
    _store(dataset, letters=letters, name=manifest.original_name)


def forget_manifest(dataset: Dataset) -> None:
    """Forget the manifest of a dataset: runs created from now on are divided by files or shares again."""
    with transaction.atomic():
        DatasetManifest.objects.filter(dataset=dataset).delete()
        record(AuditKind.MANIFEST_FORGOTTEN, target=dataset)


def manifest_of(dataset: Dataset) -> ManifestFacts | None:
    """Return what the uploaded manifest of a dataset says, None without one."""
    manifest = DatasetManifest.objects.filter(dataset=dataset).first()
    return None if manifest is None else facts_of(manifest)


def facts_of(manifest: DatasetManifest) -> ManifestFacts:
    """Count the rows of a manifest."""
    letters = unpack_letters(manifest.letters)
    rows = {split.value: letters.count(LETTER_OF[split]) for split in Split}
    return ManifestFacts(manifest, rows, letters.count(LETTER_OF[None]))


def file_names(dataset: Dataset) -> list[str]:
    """Return the names of the files of a dataset in the order of PARTS, "" for one that was not sent."""
    extra = {part: file["name"] for part, file in dataset.extra_files.items()}
    return [dataset.original_name, *(extra.get(part.value, "") for part in PARTS[1:])]
