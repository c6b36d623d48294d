"""Checks an upload that was too large to check while somebody waits; django-q2 calls it through `background`."""

import logging
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import schedule

from bert_training.contract.enums import DatasetStatus
from bert_training.contract.wording import gettext_noop
from bert_training.data.checks import Problem
from bert_training.data.process_limits import BACKGROUND_LIMITS
from bert_training.models import Dataset
from bert_training.services.datasets import CHECK_FUNCTION, checked_fields
from bert_training.services.manifests import inherit_manifest
from bert_training.services.notifying.occurrences import note_dataset_checked
from bert_training.services.profiles import start_profile
from bert_training.services.sources import request_of, stored_sources
from bert_training.services.stored_files import drop_files, put_file
from bert_training.tasks.intake import Report, check_in_sandbox

logger = logging.getLogger(__name__)

# django-q2 starts a task again for ever when its process dies in it (its issue 327).
CHECK_ATTEMPTS = 3
STARTED_PERCENT = 5
CHECKED_PERCENT = 90
AWAY_SECONDS = 60
NOTE_SECONDS = 0.5


def check_stored_dataset(pk: int) -> None:
    """Check a stored upload and make it ready or refused. Does nothing when that is settled already."""
    waiting = Dataset.objects.filter(pk=pk, status=DatasetStatus.CHECKING)
    waiting.update(check_attempts=F("check_attempts") + 1, progress=STARTED_PERCENT)
    dataset = waiting.first()
    if dataset is None:
        return
    if dataset.check_attempts > CHECK_ATTEMPTS:
        logger.error("dataset check given up", extra={"dataset": pk})
        refuse_unchecked(pk)
        return
    with tempfile.TemporaryDirectory(prefix="bert-table-") as folder:
        report = _check_into(dataset, Path(folder) / "table.parquet")
    if not _settle(pk, report):
        drop_files([dataset.table_key])  # deleted while it was checked
    elif report.valid:
        inherit_manifest(Dataset.objects.get(pk=pk))
    logger.info("dataset checked", extra={"dataset": pk, "valid": report.valid, "rows": report.rows})


def check_later(pk: int) -> None:
    """Check again in a while: the store was away, which says nothing about the file and is no attempt."""
    Dataset.objects.filter(pk=pk).update(check_attempts=F("check_attempts") - 1)
    schedule(CHECK_FUNCTION, pk, next_run=timezone.now() + timedelta(seconds=AWAY_SECONDS))
    logger.warning("dataset check waits for the store", extra={"dataset": pk})


def _check_into(dataset: Dataset, table_path: Path) -> Report:
    with stored_sources(dataset) as sources:
        report = check_in_sandbox(
            sources,
            request_of(dataset),
            table_path=table_path,
            limits=BACKGROUND_LIMITS,
            on_progress=_Progress(dataset.pk).note,
        )
    Dataset.objects.filter(pk=dataset.pk).update(progress=CHECKED_PERCENT)
    if report.valid:
        put_file(dataset.table_key, table_path)
    return report


class _Progress:
    """Writes onto the row how far the child is: upwards only, and not more often than a page asks."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.noted_at = -NOTE_SECONDS

    def note(self, percent: int) -> None:
        """Take what the child has told."""
        shown = STARTED_PERCENT + percent * (CHECKED_PERCENT - STARTED_PERCENT) // 100
        if time.monotonic() - self.noted_at < NOTE_SECONDS:
            return
        self.noted_at = time.monotonic()
        Dataset.objects.filter(pk=self.pk, progress__lt=shown).update(progress=shown)


def _settle(pk: int, report: Report) -> bool:
    """Write the outcome onto a row that still waits for it; tells whether there was one."""
    waiting = Dataset.objects.filter(pk=pk, status=DatasetStatus.CHECKING, deleted_at__isnull=True)
    with transaction.atomic():
        is_settled = bool(waiting.update(**checked_fields(report)))
        if is_settled:
            dataset = Dataset.objects.get(pk=pk)
            note_dataset_checked(dataset)
            if report.valid:
                start_profile(dataset)
    return is_settled


def refuse_unchecked(pk: int) -> None:
    """Refuse a dataset whose check could not be brought to an end."""
    message = gettext_noop("The check of this file was broken off.")
    repair = gettext_noop("Upload it again; if that does not help, copy the needed columns into a new workbook.")
    _settle(pk, Report(errors=[Problem("check_failed", message, repair)], counts={"check_failed": 1}))
