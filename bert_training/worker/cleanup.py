"""Removes once a day what nobody can want any more: delivered logs, checkpoints, data untouched for a week.

Takes only what this program has written and named. The weights of a completed run (final/) are never touched: this
computer keeps the only copy.
"""

import logging
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from bert_training.worker.kept_tokens import SUFFIX, tokens_beside
from bert_training.worker.model_store import PARTS, ModelStore, is_current
from bert_training.worker.sender import is_delivered
from bert_training.worker.timing import Timing

KEPT_SECONDS = 7 * 24 * 3600.0  # for so long the portal takes a late log
PERIOD_SECONDS = 24 * 3600.0
_TABLE = re.compile(r"^[0-9a-f]{64}\.(parquet|manifest|part|tokens)$")

logger = logging.getLogger(__name__)


class Cleaner:
    """Cleans a models-dir at the first call and then once a day."""

    def __init__(self, store: ModelStore, timing: Timing) -> None:
        self._store = store
        self._timing = timing
        self._cleaned_at = float("-inf")

    def clean_when_due(self, *, held_job: int | None) -> None:
        """Clean, but for the job that the portal has just said we hold."""
        now = self._timing.monotonic()
        if now - self._cleaned_at < PERIOD_SECONDS:
            return
        self._cleaned_at = now
        sizes = [self._clean(path) for path in self._unwanted(str(held_job))]
        cleaned = [size for size in sizes if size]
        if cleaned:
            words = "cleaned up: %d folders and files not used for a week, %.1f MB; models stay"
            logger.info(words, len(cleaned), sum(cleaned) / 1e6)

    def _clean(self, path: Path) -> int:
        """Remove what is old enough; returns how many bytes that were."""
        try:
            if _age_seconds(path) < KEPT_SECONDS:
                return 0
            size = _size(path)
            _remove(path)
        except OSError as error:  # open on Windows, or moved by somebody at this moment: tomorrow is another day
            logger.warning("%s cannot be cleaned up: %s", path, error)
            return 0
        return size

    def _unwanted(self, held: str) -> Iterator[Path]:
        # A table or manifest that is asked for again is fetched again.
        yield from [path for path in self._store.datasets.glob("*") if _TABLE.match(path.name)]
        for folder in self._store.job_folders():
            if folder.name == held:
                continue
            logs = folder.glob("attempt-*.jsonl") if is_current(folder) else ()
            if all(is_delivered(log) for log in logs):
                yield folder


def _parts(path: Path) -> list[Path]:
    """Return the parts of a job's folder that may go; a file is its own part, and a table takes its tokens along."""
    if path.suffix == ".parquet":
        return [path, tokens_beside(path)]
    if path.suffix == SUFFIX:
        return [path]
    return [part for pattern in PARTS for part in path.glob(pattern)] if path.is_dir() else [path]


def _files(path: Path) -> Iterator[Path]:
    for part in _parts(path):
        yield from (file for file in (part, *part.rglob("*")) if file.is_file())


def _age_seconds(path: Path) -> float:
    """Return how long nothing was written; an empty folder, or one with its model alone, has no age."""
    written = [file.stat().st_mtime for file in _files(path)]
    return time.time() - max(written) if written else 0.0


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))


def _remove(path: Path) -> None:
    for part in _parts(path):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
