"""Workbooks of stored datasets: made at once, for large files in the background and kept in the store.

One is called by its WorkbookKind, that of a run's doubts as services.doubt_workbooks has it.

How far one is is told by what lies beside the dataset: the workbook, a mark that it is being made, or a text that says
why there is none. That text is stored before the work begins: a process that dies leaves it behind, and django-q2,
which starts its task again for ever, finds it.
"""

import logging
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from bert_training.contract.enums import DatasetStatus, ErrorCode, WorkbookKind
from bert_training.data.process_limits import BACKGROUND_LIMITS, UPLOAD_LIMITS, ProcessLimits
from bert_training.models import Dataset
from bert_training.models.dataset import PENDING_ENDING, REASON_ENDING
from bert_training.services.doubting.doubt_workbooks import doubt_workbook, doubt_workbook_name, is_of_doubts
from bert_training.services.errors import DatasetNotReady, ServiceError, StorageAway
from bert_training.services.frequent_events import record_export
from bert_training.services.stored_files import drop_files, is_cleared, reading
from bert_training.services.workbooks import MadeWorkbook, workbook_name, workbook_of_dataset

logger = logging.getLogger(__name__)

MAKE_FUNCTION = "bert_training.background.make_workbook"
PATIENCE = timedelta(minutes=10)  # after that somebody who asks again starts it again
RETRY_SECONDS = 10


class WorkbookState(StrEnum):
    """How far a workbook is."""

    AT_ONCE = "at_once"  # made when it is asked for
    ABSENT = "absent"
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


def workbook_state(name: str, dataset: Dataset) -> WorkbookState:
    """Tell how far a workbook in the reader's language is. Raises StorageAway."""
    if not dataset.is_large:
        return WorkbookState.AT_ONCE
    key = _key(name, dataset)
    with reading(key):
        if default_storage.exists(key):
            return WorkbookState.READY
        if _is_pending(key):
            return WorkbookState.PENDING
        return WorkbookState.FAILED if default_storage.exists(key + REASON_ENDING) else WorkbookState.ABSENT


def open_workbook(name: str, dataset: Dataset) -> MadeWorkbook:
    """Make a workbook, or open the stored one; a missing one of a large dataset is begun.

    Raises DatasetNotReady until it is made, ServiceError, DatasetGone, StorageAway.
    """
    made = _opened(name, dataset)
    record_export(dataset, what=_fact_name(name))
    return made


def _fact_name(name: str) -> str:
    return "doubts" if is_of_doubts(name) else str(name)


def _opened(name: str, dataset: Dataset) -> MadeWorkbook:
    if dataset.status == DatasetStatus.CHECKING:
        raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, _("The dataset is still being checked."))
    state, key = workbook_state(name, dataset), _key(name, dataset)
    if state == WorkbookState.AT_ONCE:
        return _made(name, dataset, UPLOAD_LIMITS)
    if state == WorkbookState.READY:
        with reading(key):
            return MadeWorkbook(default_storage.open(key), _shown_name(name, dataset))
    if state == WorkbookState.FAILED:
        raise ServiceError(ErrorCode.INVALID_DATASET, _take_reason(key))
    if state == WorkbookState.ABSENT:
        _write(key + PENDING_ENDING, "")
        with transaction.atomic():
            async_task(MAKE_FUNCTION, dataset.pk, str(name), get_language())
    message = _("The file is large: its workbook is being made, and will be offered on the dataset's page.")
    raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, message, retry_after=RETRY_SECONDS)


def make_stored_workbook(pk: int, name: str, language: str) -> None:
    """Make the workbook of a large dataset; does nothing when that is settled, or under way."""
    dataset = Dataset.objects.filter(pk=pk, deleted_at__isnull=True).first()
    if dataset is None:
        return
    with override(language):
        key = _key(name, dataset)
        if default_storage.exists(key) or default_storage.exists(key + REASON_ENDING):
            return
        _write(key + REASON_ENDING, _("Making the workbook was broken off. Ask for it again."))
        try:
            _make(name, dataset, key)
        except StorageAway:
            drop_files([key + REASON_ENDING])  # says nothing about the file: whoever asks again starts it again
        except ServiceError as refusal:
            _write(key + REASON_ENDING, refusal.message)
        finally:
            drop_files([key + PENDING_ENDING])
    if not Dataset.objects.filter(pk=pk, deleted_at__isnull=True).exists():
        is_cleared(f"{dataset.folder}/*")  # deleted meanwhile
    logger.info("workbook made", extra={"dataset": pk, "workbook": name})


def _made(name: str, dataset: Dataset, limits: ProcessLimits) -> MadeWorkbook:
    if is_of_doubts(name):
        return doubt_workbook(name, dataset, limits)
    return workbook_of_dataset(WorkbookKind(name), dataset, limits)


def _shown_name(name: str, dataset: Dataset) -> str:
    if is_of_doubts(name):
        return doubt_workbook_name(name, dataset)
    return workbook_name(WorkbookKind(name), dataset.original_name)


def _make(name: str, dataset: Dataset, key: str) -> None:
    with _made(name, dataset, BACKGROUND_LIMITS).file as file:
        default_storage.save(key, File(file))
    drop_files([key + REASON_ENDING])


def _key(name: str, dataset: Dataset) -> str:
    return dataset.workbook_key(name, get_language() or settings.LANGUAGE_CODE)


def _is_pending(key: str) -> bool:
    mark = key + PENDING_ENDING
    return default_storage.exists(mark) and timezone.now() - default_storage.get_modified_time(mark) < PATIENCE


def _write(key: str, text: str) -> None:
    drop_files([key])
    default_storage.save(key, ContentFile(text.encode()))


def _take_reason(key: str) -> str:
    """Return why there is no workbook; said once, so that whoever asks again starts it again."""
    with reading(key), default_storage.open(key + REASON_ENDING) as file:
        reason: str = file.read().decode()
    drop_files([key + REASON_ENDING])
    return reason
