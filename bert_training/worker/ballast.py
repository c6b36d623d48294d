"""A file that only takes up room: thrown out when the disk is full, so that the last words of a job still fit.

Trainer and supervisor may both throw it out; only the supervisor takes it in again, between two jobs.
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from bert_training.ml.keeping.folders import is_disk_full

BALLAST_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024
NAME = "ballast.bin"


def take_in(models_dir: Path) -> bool:
    """Lay the file down unless it is there or little more than its own size is free. Tells whether it is there."""
    path = models_dir / NAME
    if path.exists():
        return True
    if shutil.disk_usage(models_dir).free < 2 * BALLAST_BYTES:
        return False
    try:
        _reserve(path)
    except OSError:
        path.unlink(missing_ok=True)
        return False
    return True


def throw_out(models_dir: Path) -> None:
    """Give its room back."""
    with contextlib.suppress(OSError):  # gone before, or open in somebody's virus scanner
        (models_dir / NAME).unlink()


def write_at_last(models_dir: Path, write: Callable[[], None]) -> None:
    """Write; on a full disk once more without the ballast. What is written so must be small."""
    try:
        write()
    except OSError as error:
        if not is_disk_full(error):
            raise
        throw_out(models_dir)  # or the other process just did
        write()


def describe_full_disk(models_dir: Path, error: OSError) -> str:
    """Say what could not be written, and what to do."""
    free = shutil.disk_usage(models_dir).free
    return f"The disk is full ({error}). Make room in {models_dir}, which has {free:,} bytes free, and start again."


def _reserve(path: Path) -> None:
    allocate = getattr(os, "posix_fallocate", None)  # neither on Windows nor on macOS
    with path.open("wb") as file:
        if allocate is not None:
            allocate(file.fileno(), 0, BALLAST_BYTES)
            return
        for _ in range(BALLAST_BYTES // BLOCK_BYTES):
            file.write(os.urandom(BLOCK_BYTES))  # a disk that compresses would store zeros in no room at all
