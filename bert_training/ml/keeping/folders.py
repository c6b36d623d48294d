"""Writes a folder so that it is there whole or not at all, also after a power cut."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

UNFINISHED = ".{name}.unfinished"
DISK_FULL_ERRORS = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows knows no quota error
# As Python and Rust word it on Unix; Windows translates all but the number.
DISK_FULL_WORDS = (
    "No space left on device",
    "Disk quota exceeded",
    "(os error 28)",
    "[WinError 112]",
    "(os error 112)",
)


def is_disk_full(error: OSError) -> bool:
    """Tell whether an error means that no more can be written."""
    return error.errno in DISK_FULL_ERRORS


def says_disk_full(text: str) -> bool:
    """Tell the same of an error of which only the text is there."""
    return any(words in text for words in DISK_FULL_WORDS)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` to write into; on leaving it is synced to disk and takes the name `folder`.

    What stood at `folder` is replaced; on an error it stays and the unfinished one is removed. A full disk is
    an OSError with ENOSPC, whoever met it.
    """
    unfinished = folder.with_name(UNFINISHED.format(name=folder.name))
    shutil.rmtree(unfinished, ignore_errors=True)  # left behind by a process that died
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        _sync_files(unfinished)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
        _sync_folder(folder.parent)
    except SafetensorError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if says_disk_full(str(error)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        raise
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _sync_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:  # Windows syncs only what is open for writing
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder; NTFS journals the rename
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
