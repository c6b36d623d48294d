"""The models-dir: who works in it, which start this is, and the folder of each job. Paths come from integers only.

Another portal, or the same one with a new database, counts its jobs from 1 again: what an earlier job of the same
number left here is neither continued nor overwritten.
"""

import itertools
import logging
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bert_training.contract.messages import ClaimedJob
from bert_training.worker.ballast import write_at_last
from bert_training.worker.files import read_json, write_json
from bert_training.worker.resume import job_identity

FINAL = "final"
PARTS = (
    "attempt-*",
    "acked-*",
    "logged-*",
    "progress-*",
    "outcome-*",
    "job.json",
    "trainer.*",
    "meeting-*",
    "rank-*",
    "checkpoints",
    ".*.unfinished",
)  # of a job's folder: all but its model
_JOB_NAME = re.compile(r"^\d+(-\d+)?$")
_SPOOL_NAME = re.compile(r"^attempt-(\d+)\.jsonl$")

logger = logging.getLogger(__name__)


class FolderInUse(Exception):
    """Another supervisor works in this models-dir."""


class ModelStore:
    """The folders and state files of one worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.datasets = folder / "datasets"
        self.datasets.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "worker.lock")
        self._begun: set[tuple[int, int]] = set()

    def acquire(self) -> None:
        """Take the folder for this process until it ends. Raises FolderInUse."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise FolderInUse(
                f"Another worker runs in {self.folder}. Stop it, or give this one its own --models-dir and token."
            ) from error

    def release(self) -> None:
        """Let the next supervisor in."""
        self._lock.release()

    def next_instance(self) -> str:
        """Count this start and return `<machine id>:<start number>`, by which the portal tells old calls from new."""
        path = self.folder / "worker.json"
        state = read_json(path) or {}
        machine_id, start = state.get("machine_id"), state.get("start")
        if not isinstance(machine_id, str) or not isinstance(start, int):
            machine_id, start = uuid.uuid4().hex, 0
            if path.exists():
                logger.warning("%s was damaged; this computer has a new machine id", path)
        state = {"machine_id": machine_id, "start": start + 1}
        write_at_last(self.folder, lambda: write_json(path, state, durable=True))
        return f"{machine_id}:{start + 1}"

    def job_folder(self, job: ClaimedJob) -> Path:
        """Return the folder of a claimed job, made if need be; one of another job of this number is put aside."""
        folder = self.folder / "jobs" / str(int(job.job_id))
        if (job.job_id, job.attempt) not in self._begun and _is_of_another(folder, job):
            aside = next(path for path in _names_aside(folder) if not path.exists())
            folder.rename(aside)
            logger.warning("another job had the number %d; what it left here is now in %s", job.job_id, aside)
        self._begun.add((job.job_id, job.attempt))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def job_folders(self) -> list[Path]:
        """Return the folders of all jobs that were ever taken here, those put aside too."""
        return [path for path in (self.folder / "jobs").glob("*") if _JOB_NAME.match(path.name) and path.is_dir()]

    def free_bytes(self) -> int:
        """Return what is free on the disk of the models-dir."""
        return shutil.disk_usage(self.folder).free


def spool_number(path: Path) -> int | None:
    """Return the attempt whose spool this is; None when it is none."""
    found = _SPOOL_NAME.match(path.name)
    return int(found[1]) if found else None


def is_current(folder: Path) -> bool:
    """Tell whether a folder of a job belongs to the portal's job of that number: it was not put aside."""
    return folder.name.isdecimal()


def _is_of_another(folder: Path, job: ClaimedJob) -> bool:
    """Tell whether a folder is of another job than this one, of which this start of the worker has not begun yet.

    The portal raises the attempt at every start of the worker, so a spool of this attempt is not of this job.
    """
    if any((spool_number(path) or 0) >= job.attempt for path in folder.glob("attempt-*.jsonl")):
        return True
    begun = read_json(folder / "job.json")
    if begun is None:
        return (folder / FINAL).exists()  # cleaned up, and a completed job is not given again
    return begun.get("identity") != job_identity(job)


def _names_aside(folder: Path) -> Iterator[Path]:
    return (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(1))
