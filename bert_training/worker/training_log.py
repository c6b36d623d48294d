"""The training log on this computer: logs/train/<run>.log, and all runs one after another in logs/train/all.log.

It is the stream that the portal shows, read back from the spool into which trainer and supervisor write: nothing is
said twice, and what a killed one said is there. A log that cannot be written never ends a training.
"""

import logging
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

from bert_training.contract.enums import LogLevel
from bert_training.contract.messages import ClaimedJob
from bert_training.contract.text import clean_line
from bert_training.worker.files import read_json, write_json
from bert_training.worker.log_file import LogFile
from bert_training.worker.machine import read_versions
from bert_training.worker.spool import LOG, Record, SpoolReader
from bert_training.worker.timing import Timing

FOLLOW_SECONDS = 1.0
LINES_PER_WRITE = 1000
BYTES_PER_WRITE = 1024 * 1024
RULE = "=" * 70
ALL_RUNS = "all"

logger = logging.getLogger(__name__)


def log_folder(models_dir: Path) -> Path:
    """Return where the logs of all runs lie."""
    return models_dir / "logs" / "train"


def name_of_run(run_id: int) -> str:
    """Return what begins the name of a run's attempts in the log."""
    return f"run-{run_id}"


class TrainingLog:
    """The log of one attempt. How far each file has its spool is noted beside it, in `logged-<attempt>.json`."""

    def __init__(self, models_dir: Path, spool: Path, *, run_id: int, attempt: int) -> None:
        folder = log_folder(models_dir)
        self._name = f"{name_of_run(run_id)}.attempt-{attempt}"
        self._spool = spool
        self._noted = spool.with_name(f"logged-{attempt}.json")
        ends = read_json(self._noted) or {}
        self._copies = {
            name: _Copy(
                LogFile(folder / f"{name}.log"), self._name, SpoolReader(spool, LOG, offset=_offset(ends, name))
            )
            for name in (str(run_id), ALL_RUNS)
        }
        self._followed_at = float("-inf")
        self._is_lost = False

    def begin(self, job: ClaimedJob, timing: Timing) -> None:
        """Write a banner: what is trained, where, with which versions."""
        versions = ", ".join(f"{name} {number}" for name, number in read_versions().items())
        settings = ", ".join(f"{name}={value}" for name, value in sorted(job.hyperparameters.items()))
        banner = (
            RULE,
            f"Run {job.run_id}, attempt {job.attempt} (job {job.job_id}): {job.task}"
            f"{', a simulation' if job.simulate else ''}",
            f"Base model {job.base_model}, revision {job.base_model_revision or 'not stated'}",
            f"Data: {job.dataset.rows:,} rows, SHA-256 {job.dataset.sha256}",
            f"Settings: {settings}",
            f"Computer {platform.node()}: {versions}",
            RULE,
        )
        now = timing.utc_now()
        text = "".join(_shown(self._name, now, LogLevel.INFO.value, clean_line(line)) for line in banner)
        try:
            for copy in self._copies.values():
                copy.file.append(text)
        except OSError as error:
            self._tell_lost(error)

    def follow_at_times(self, timing: Timing) -> None:
        """Follow once a second."""
        now = timing.monotonic()
        if now - self._followed_at >= FOLLOW_SECONDS:
            self._followed_at = now
            self.follow()

    def follow(self) -> None:
        """Copy what the spool has and the files have not."""
        try:
            end = self._spool.stat().st_size
            moved = [copy.follow(end) for copy in self._copies.values()]
            if any(moved):
                write_json(self._noted, {name: copy.reader.offset for name, copy in self._copies.items()})
        except OSError as error:
            self._tell_lost(error)

    def _tell_lost(self, error: OSError) -> None:
        if not self._is_lost:
            logger.warning("the training log of %s cannot be written (%s); the training goes on", self._name, error)
        self._is_lost = True


class _Copy:
    """One file and how far it has the spool."""

    def __init__(self, file: LogFile, name: str, reader: SpoolReader) -> None:
        self.file = file
        self.reader = reader
        self._name = name

    def follow(self, end: int) -> bool:
        """Copy all lines that end by the offset `end`; tell whether there were any."""
        has_moved = False
        while records := self.reader.read(end=end, most=LINES_PER_WRITE, most_bytes=BYTES_PER_WRITE):
            self.file.append("".join(self._line(record) for record in records))
            self.reader.advance(records)
            has_moved = True
        return has_moved

    def _line(self, record: Record) -> str:
        content = record.content
        try:
            moment = datetime.fromisoformat(str(content.get("ts")))
        except ValueError:
            return f"{self._name} - [unreadable line in the spool]\n"
        return _shown(self._name, moment, str(content.get("level")), str(content.get("message")))


def copy_rest(models_dir: Path, spool: Path, attempt: int) -> None:
    """Copy what a supervisor that was killed had not copied yet. Call it while no trainer works in the folder."""
    run_id = (read_json(spool.parent / "job.json") or {}).get("run_id")
    if isinstance(run_id, int):
        TrainingLog(models_dir, spool, run_id=run_id, attempt=attempt).follow()


def _offset(ends: dict[str, Any], name: str) -> int:
    offset = ends.get(name)
    return offset if isinstance(offset, int) else 0


def _shown(name: str, moment: datetime, level: str, message: str) -> str:
    """Write a line as logging does, in this computer's time with its distance from UTC."""
    return f"{moment.astimezone().isoformat(sep=' ', timespec='milliseconds')} - {name} - {level} - {message}\n"
