"""Finds the dataset that an upload continues, by the ids of rows in it, and counts what has changed since."""

import logging
from pathlib import Path
from typing import Any

from bert_training.contract.enums import DatasetStatus
from bert_training.data.checks import DatasetRefused
from bert_training.models import Dataset
from bert_training.services.errors import DatasetGone
from bert_training.services.stored_files import stored_copy
from bert_training.tasks.continuing import compare_in_sandbox

logger = logging.getLogger(__name__)


def continuation_of(dataset: Dataset, table: Path) -> dict[str, Any] | None:
    """Return which dataset of the same owner this one continues, and the counts of data.writing.row_match.Continuation.

    table: the dataset's canonical table. None when it continues none, or nobody can say. Raises StorageAway.
    """
    earlier = _earlier(dataset)
    if earlier is None:
        return None
    try:
        with stored_copy(earlier.table_key, earlier.table_sha256) as path:
            counts = compare_in_sandbox(table, path, task=dataset.task, file=dataset.summary["continues"])
    except (DatasetGone, DatasetRefused):
        logger.warning("datasets not compared", extra={"dataset": dataset.pk, "earlier": earlier.pk})
        return None
    return {"dataset": earlier.pk, **counts}


def _earlier(dataset: Dataset) -> Dataset | None:
    """Return the newest of the owner's datasets that were made of the file from which most rows come."""
    file = dataset.summary.get("continues")
    if not file:
        return None
    own = Dataset.objects.filter(owner=dataset.owner_id, task=dataset.task, deleted_at__isnull=True)
    same = own.filter(sha256__startswith=file, status=DatasetStatus.READY).exclude(pk=dataset.pk)
    return same.order_by("-id").first()
