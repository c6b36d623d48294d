"""Finds the dataset that an upload continues, by the ids of rows in it, and counts what has changed since."""

import logging
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_training.contract.enums import DatasetStatus
from bert_training.data.checks import DatasetRefused
from bert_training.models import Dataset, DatasetProfile
from bert_training.services.errors import DatasetGone
from bert_training.services.stored_files import stored_copy
from bert_training.tasks.continuing import compare_in_sandbox

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Continued:
    """counts: the earlier dataset, and data.writing.row_match.Continuation.  corrected: positions in the table."""

    counts: dict[str, Any]
    corrected: list[int]


def continuation_of(dataset: Dataset, table: Path) -> Continued | None:
    """Return which dataset of the same owner this one continues, and what has changed since.

    table: the dataset's canonical table. None when it continues none, or nobody can say. Raises StorageAway.
    """
    earlier = _earlier(dataset)
    if earlier is None:
        return None
    before = corrected_in(earlier.pk)
    try:
        with stored_copy(earlier.table_key, earlier.table_sha256) as path:
            found = compare_in_sandbox(
                table, path, task=dataset.task, file=dataset.summary["continues"], corrected=before or ()
            )
    except (DatasetGone, DatasetRefused):
        logger.warning("datasets not compared", extra={"dataset": dataset.pk, "earlier": earlier.pk})
        return None
    return Continued({"dataset": earlier.pk, **found["counts"]}, found["corrected"])


def corrected_in(dataset_id: int) -> list[int] | None:
    """Return the positions of the rows of a dataset whose answer was corrected; None where nobody has compared."""
    profiles = DatasetProfile.objects.filter(pk=dataset_id, corrected__isnull=False)
    packed = profiles.values_list("corrected", flat=True).first()
    return None if packed is None else unpack_positions(bytes(packed))


def pack_positions(positions: Sequence[int]) -> bytes:
    """Compress positions for the database."""
    return zlib.compress(struct.pack(f"<{len(positions)}I", *positions))


def unpack_positions(packed: bytes) -> list[int]:
    """Read what pack_positions wrote."""
    return [position for (position,) in struct.iter_unpack("<I", zlib.decompress(packed))]


def _earlier(dataset: Dataset) -> Dataset | None:
    """Return the newest of the owner's datasets that were made of the file from which most rows come.

    One that was repaired alike comes first: what a repair did to labels is no correction.
    """
    file = dataset.summary.get("continues")
    if not file:
        return None
    own = Dataset.objects.filter(owner=dataset.owner_id, task=dataset.task, deleted_at__isnull=True)
    same = own.filter(sha256__startswith=file, status=DatasetStatus.READY).exclude(pk=dataset.pk)
    found = list(same.order_by("-id"))
    return next((each for each in found if each.recipe == dataset.recipe), found[0] if found else None)
