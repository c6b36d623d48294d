"""The models-dir: who works in it, which start this is, and the folder of each job. Paths come from integers only."""

import logging
import shutil
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

from bert_training.worker.files import read_json, write_json

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
        write_json(path, {"machine_id": machine_id, "start": start + 1}, durable=True)
        return f"{machine_id}:{start + 1}"

    def job_folder(self, job_id: int) -> Path:
        """Return the folder of a job, made if need be."""
        folder = self.folder / "jobs" / str(int(job_id))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def free_bytes(self) -> int:
        """Return what is free on the disk of the models-dir."""
        return shutil.disk_usage(self.folder).free
