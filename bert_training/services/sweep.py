"""Removes what nobody needs: stored files without a row, predictions of which no proof will be made, working folders.

A crash between file and row leaves such files behind, an attempt that did not complete such predictions, a process that
was killed in the middle of a check its folder with the spreadsheet in it.
"""

import contextlib
import logging
import os
import re
import shutil
import tempfile
import time
import uuid
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from bert_training.contract.enums import TERMINAL_STATUSES, ProofStatus
from bert_training.models import Dataset, Prediction, Run, RunProof
from bert_training.services.proving.proofs import FOLDER as PROOFS
from bert_training.services.stored_files import drop_files

logger = logging.getLogger(__name__)

FOLDER = "datasets"
# As the folders of checks and of what is made of spreadsheets begin, in the folder for temporary files.
WORKING_FOLDERS = tuple(
    f"bert-{work}-" for work in ("check", "file", "groups", "problems", "profile", "proof", "read", "table", "workbook")
)
UPLOAD = re.compile(r"tmp\w+\.upload.*")  # as Django names what it takes in of a large file
MINIMUM_AGE = timedelta(days=1)  # an upload stores its files first and its row second


def sweep_files() -> int:
    """Delete files of no dataset and no proof that are older than a day; returns how many. Safe to repeat."""
    orphans = [*_orphans_of_datasets(), *_orphans_of_proofs()]
    drop_files(orphans)
    if orphans:
        logger.warning("files without a row removed", extra={"files": len(orphans)})
    return len(orphans)


def sweep_predictions() -> int:
    """Delete staged predictions of runs that have ended and wait for no proof; returns how many."""
    ended = Run.objects.filter(status__in=TERMINAL_STATUSES)
    waiting = RunProof.objects.filter(status=ProofStatus.PENDING, key="")
    return Prediction.objects.filter(run__in=ended).exclude(run__in=waiting.values("run")).delete()[0]


def sweep_working_folders() -> int:
    """Delete what uploads, children and checks left in the folder for temporary files over a day ago; returns how many.

    Nothing that works on a spreadsheet takes a day; the folders of a running process are younger.
    """
    oldest = time.time() - MINIMUM_AGE.total_seconds()
    with os.scandir(tempfile.gettempdir()) as entries:
        ours = [entry for entry in entries if entry.name.startswith(WORKING_FOLDERS) or UPLOAD.fullmatch(entry.name)]
        left = [entry.path for entry in ours if entry.stat(follow_symlinks=False).st_mtime < oldest]
    for path in left:
        _remove(path)
    if left:
        logger.warning("working folders removed", extra={"folders": len(left)})
    return len(left)


def _remove(path: str) -> None:
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):  # a file, or gone
        os.unlink(path)


def _orphans_of_datasets() -> list[str]:
    kept = set(Dataset.objects.filter(deleted_at__isnull=True).values_list("uuid", flat=True))
    return [key for name in _stored_folders() if _uuid_of(name) not in kept for key in _old_files(f"{FOLDER}/{name}")]


def _orphans_of_proofs() -> list[str]:
    kept = set(RunProof.objects.exclude(key="").values_list("key", flat=True))
    return [key for key in _old_files(PROOFS) if key not in kept]


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


def _old_files(folder: str) -> list[str]:
    try:
        keys = [f"{folder}/{file}" for file in default_storage.listdir(folder)[1]]
    except FileNotFoundError:  # nothing was ever stored in this folder
        return []
    newest = timezone.now() - MINIMUM_AGE
    return [key for key in keys if default_storage.get_modified_time(key) < newest]
