"""One trainer a job folder: the trainer holds trainer.lock; a supervisor waits for it, then kills who holds it.

Normally a trainer dies with its supervisor. One that hangs in a driver may not, and would write beside its successor.
"""

import contextlib
import logging
import os
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from bert_training.worker.files import read_json, write_json
from bert_training.worker.timing import Timing

WAIT_SECONDS = 10.0
_SAME_PROCESS_SECONDS = 1.0  # a start time is read with a rounding error

logger = logging.getLogger(__name__)


class TrainerLives(Exception):
    """A trainer neither ended nor could be killed."""


def hold_trainer_lock(folder: Path) -> FileLock:
    """Take the folder for this process until it ends, and leave who it is. Raises filelock.Timeout."""
    lock = FileLock(folder / "trainer.lock")
    lock.acquire(timeout=0)
    me = psutil.Process()
    write_json(folder / "trainer.json", {"pid": me.pid, "started": me.create_time()})
    return lock


def await_former_trainer(folder: Path, timing: Timing) -> None:
    """Return when no trainer works in the folder, after WAIT_SECONDS by force. Raises TrainerLives."""
    lock = FileLock(folder / "trainer.lock")
    if timing.pause(WAIT_SECONDS, lambda: _is_free(lock)):
        return
    _kill_recorded(folder)
    if not timing.pause(WAIT_SECONDS, lambda: _is_free(lock)):
        raise TrainerLives(f"A former trainer still works in {folder} and cannot be ended: restart this computer.")


def has_trainer(folder: Path) -> bool:
    """Tell whether a trainer works in the folder."""
    return not _is_free(FileLock(folder / "trainer.lock"))


def _is_free(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def _kill_recorded(folder: Path) -> None:
    """Kill the process that the folder names, unless its number belongs to another one by now."""
    recorded = read_json(folder / "trainer.json") or {}
    pid, started = recorded.get("pid"), recorded.get("started")
    if not isinstance(pid, int) or not isinstance(started, int | float) or pid == os.getpid():
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if abs(process.create_time() - started) < _SAME_PROCESS_SECONDS:
            logger.warning("the former trainer, process %d, did not end; it is killed", pid)
            process.kill()
