"""Tells how far a child process is: it appends percentages to a file in its folder, the parent reads the last one.

Whoever works calls `tell`; outside a child that is watched it does nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LINE_BYTES = 4  # "100\n"

_path: Path | None = None
_stage = (0.0, 100.0)


def tell_into(path: Path) -> None:
    """Have `tell` write to this file from now on."""
    global _path
    _path = path


def tell(percent: float) -> None:
    """Note that so much is done, of the stage in which this is called."""
    if _path is not None:
        low, high = _stage
        with _path.open("ab") as file:
            file.write(b"%3d\n" % (low + percent * (high - low) / 100))


@contextmanager
def stage(low: float, high: float) -> Iterator[None]:
    """Let the percentages told inside the block mean this part of the whole."""
    global _stage
    outer, _stage = _stage, (low, high)
    try:
        yield
    finally:
        _stage = outer


def read_percent(path: Path) -> int:
    """Return what was told last, 0 before anything was."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - size % LINE_BYTES - LINE_BYTES))
            return int(file.read(LINE_BYTES) or 0)
    except FileNotFoundError:
        return 0
