"""Deletes this computer's copies of what was deleted on the portal, and says so only when they are really gone.

On a thread of its own, beside the work of today: no heartbeat waits for a large folder. What cannot go yet (a job at
hand needs it, a former trainer lives, a file is open on Windows) is tried again when the portal asks again, which it
does at every heartbeat. The weights of a completed run (final/) stay: the portal does not ask for them.
"""

import logging
import math
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bert_training.contract.limits import FORGETS_PER_HEARTBEAT
from bert_training.contract.messages import ClaimedJob, Forget
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.files import read_json
from bert_training.worker.kept_tokens import SUFFIX
from bert_training.worker.log_file import LogFile
from bert_training.worker.model_store import PARTS, ModelStore
from bert_training.worker.timing import SLICE_SECONDS, Timing
from bert_training.worker.trainer_lock import has_trainer
from bert_training.worker.training_log import ALL_RUNS, log_folder, name_of_run

JOB = "job.json"  # says whose a folder is, so it goes last
_DIGEST = re.compile(r"[0-9a-f]{64}")

logger = logging.getLogger(__name__)


class Forgetting:
    """The portal's orders to forget, and those that are carried out and not yet confirmed."""

    def __init__(self, store: ModelStore, timing: Timing) -> None:
        self._store = store
        self._timing = timing
        self._waiting: deque[Forget] = deque()
        self._done: set[int] = set()
        self._held: ClaimedJob | None = None
        self._guard = threading.Lock()  # no job begins in the middle of a folder that goes
        self._is_caught_up = False  # with what was deleted while this worker was away
        self._loop = BackgroundLoop("forgetting", self._step, timing)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """Carry out no more; the portal asks again after the next start."""
        self._loop.stop()

    def await_first_orders(self, give_up: Callable[[], bool]) -> None:
        """Wait until the portal was heard and its first orders are dealt with: before any job and any older log."""
        self._timing.pause(math.inf, lambda: self._is_caught_up or give_up())

    @property
    def done(self) -> list[int]:
        """Return what the next heartbeat shall confirm."""
        return sorted(self._done)[:FORGETS_PER_HEARTBEAT]

    def take(self, orders: Sequence[Forget], *, confirmed: Iterable[int]) -> None:
        """Take the answer to a heartbeat that has confirmed these; what is asked again is done again."""
        self._done.difference_update(confirmed)
        waiting = {order.id for order in tuple(self._waiting)}
        self._waiting.extend(order for order in orders if order.id not in waiting)
        self._is_caught_up = self._is_caught_up or not self._waiting

    def expect_nothing(self) -> None:
        """Note that the portal answered a heartbeat with a refusal: nobody waits for orders then."""
        self._is_caught_up = True

    @contextmanager
    def holding(self, job: ClaimedJob) -> Iterator[None]:
        """Leave alone what a job needs while it is at hand."""
        with self._guard:
            self._held = job
        try:
            yield
        finally:
            self._held = None

    def _step(self) -> None:
        if not self._waiting:
            self._timing.sleep(SLICE_SECONDS)
            return
        order = self._waiting[0]
        try:
            is_done = self._carry_out(order)
        except OSError as error:
            logger.warning("what the portal has deleted is not gone here yet, it is tried again: %s", error)
            is_done = False
        self._waiting.popleft()
        if is_done:
            self._done.add(order.id)
            logger.info("order %d: the copies of what was deleted on the portal are gone here", order.id)
        self._is_caught_up = self._is_caught_up or not self._waiting

    def _carry_out(self, order: Forget) -> bool:
        """Delete what is meant; tells whether nothing is left. May be broken off and repeated at any point."""
        jobs = {folder: read_json(folder / JOB) for folder in self._store.job_folders()}
        folders = [folder for folder, job in jobs.items() if _is_meant(job, order)]
        # Open in another program, or damaged: it may be of these data, and goes with the weekly cleaning at the latest.
        postponed = [folder.name for folder, job in jobs.items() if job is None and (folder / JOB).exists()]
        postponed += [digest for digest in _digests(folders, order) if not self._drop_shared(digest)]
        postponed += [folder.name for folder in folders if not self._drop_folder(folder, order)]
        for run in order.runs:
            drop_logs(self._store.folder, run)
        return not postponed

    def _drop_shared(self, digest: str) -> bool:
        """Delete the table or the split of this digest, with its tokens, unless the job at hand may read them."""
        with self._guard:
            held = self._held
            if held is not None and digest in (held.dataset.table_sha256, held.split_digest):
                return False
            for suffix in (".parquet", SUFFIX, ".manifest", ".part"):
                _delete(self._store.datasets / f"{digest}{suffix}")
        return True

    def _drop_folder(self, folder: Path, order: Forget) -> bool:
        """Delete a job's log, figures and checkpoints, unless it is at hand or a former trainer still writes there."""
        with self._guard:
            held = self._held
            if held is not None and _is_meant(held.model_dump(), order) and folder.name == str(held.job_id):
                return False
            if has_trainer(folder):
                return False
            for part in [part for pattern in PARTS for part in folder.glob(pattern) if part.name != JOB]:
                _delete(part)
            _delete(folder / JOB)
            if not any(folder.iterdir()):
                folder.rmdir()
        return True


def drop_logs(models_dir: Path, run: int) -> None:
    """Delete a run's log, and its lines in the log of all runs."""
    folder = log_folder(models_dir)
    for path in folder.glob(f"{run}.log*"):
        _delete(path)
    mark = f"{name_of_run(run)}."

    def is_of_run(line: str) -> bool:
        return line.startswith(mark) or line.partition(" - ")[2].startswith(mark)

    LogFile(folder / f"{ALL_RUNS}.log").drop_lines(is_of_run)


def _is_meant(job: dict[str, Any] | None, order: Forget) -> bool:
    """Tell whether an order is about a job; two owners may hold the same bytes as two datasets."""
    dataset = (job or {}).get("dataset")
    if job is None or not isinstance(dataset, dict):
        return False
    is_same = (dataset.get("id"), dataset.get("sha256")) == (order.dataset_id, order.sha256)
    return is_same and (not order.runs or job.get("run_id") in order.runs)


def _digests(folders: list[Path], order: Forget) -> set[str]:
    """Return by which digests a whole dataset is kept: its table, and the splits of its jobs."""
    if order.runs:
        return set()
    splits = [(read_json(folder / JOB) or {}).get("split_digest") for folder in folders]
    return {each for each in (order.table_sha256, *splits) if isinstance(each, str) and _DIGEST.fullmatch(each)}


def _delete(path: Path) -> None:
    """Delete a file or folder for good; raises OSError when it cannot be."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
