"""Where the tokens of a table are kept between trainings: beside it, for they are its text and go when it goes."""

import shutil
from pathlib import Path

LIMIT_BYTES = 4 * 2**30  # of all tables; 132,373 reviews take 31 MiB, a million court decisions 1 GiB
SUFFIX = ".tokens"


def tokens_beside(table: Path) -> Path:
    """Return the folder for the tokens of a table, by whichever tokenizers."""
    return table.with_suffix(SUFFIX)


def drop_least_used(datasets: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
    """Remove what was not used for the longest time until no more than so much is kept, and what was never finished.

    For a trainer that has not begun: nobody else uses the folder then.
    """
    entries = sorted(datasets.glob(f"*{SUFFIX}/*"), key=_used_at, reverse=True)
    kept_bytes = 0
    for entry in entries:
        kept_bytes += sum(file.stat().st_size for file in entry.rglob("*"))
        if kept_bytes > limit_bytes or entry.name.startswith("."):
            shutil.rmtree(entry, ignore_errors=True)


def _used_at(entry: Path) -> float:
    """Return when the newest of its files was written or touched; 0 for an empty folder."""
    return max((file.stat().st_mtime for file in entry.rglob("*")), default=0.0)
