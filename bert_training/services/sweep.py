"""Removes stored files without a row: what a crash between file and row, or a failed deletion, left behind."""

import logging
import uuid
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from bert_training.models import Dataset
from bert_training.services.stored_files import drop_files

logger = logging.getLogger(__name__)

FOLDER = "datasets"
MINIMUM_AGE = timedelta(days=1)  # an upload stores its files first and its row second


def sweep_files() -> int:
    """Delete files of no dataset that are older than a day; returns how many. Safe to repeat."""
    kept = set(Dataset.objects.filter(deleted_at__isnull=True).values_list("uuid", flat=True))
    orphans = [key for name in _stored_folders() if _uuid_of(name) not in kept for key in _old_files(name)]
    drop_files(orphans)
    if orphans:
        logger.warning("files without a row removed", extra={"files": len(orphans)})
    return len(orphans)


def _stored_folders() -> list[str]:
    try:
        return default_storage.listdir(FOLDER)[0]
    except FileNotFoundError:  # nothing was ever stored in this folder
        return []


def _uuid_of(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None


def _old_files(name: str) -> list[str]:
    keys = [f"{FOLDER}/{name}/{file}" for file in default_storage.listdir(f"{FOLDER}/{name}")[1]]
    newest = timezone.now() - MINIMUM_AGE
    return [key for key in keys if default_storage.get_modified_time(key) < newest]
