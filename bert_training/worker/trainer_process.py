"""The trainer child as its supervisor sees it: starts it without secrets, passes orders, reads what it left behind."""

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from bert_training.contract.tokens import TokenMask
from bert_training.ml.machine.meeting import MEETING_FILE
from bert_training.worker.files import read_json, write_json
from bert_training.worker.process_control import ask_to_stop, count_io, kill_tree, start_process
from bert_training.worker.trainer_lock import TrainerLives
from bert_training.worker.trainer_orders import spool_path

TAIL_LINES = 50
LINE_BYTES = 4000
READER_SECONDS = 5.0  # a grandchild may keep the pipe open after the trainer's end
TRAINER = "bert_training.worker.trainer"
SIMULATION = "bert_training.worker.simulation"
SIMULATION_VARIABLE = "BERT_SIMULATION"  # another module to play simulated runs; tests put faulty trainers there
# What this process may hold and a trainer has no use for; values that contain the token or the address go as well.
_SECRET_VARIABLES = frozenset(
    {
        *("BERT_TOKEN", "BERT_TOKEN_FILE", "BERT_API_URL", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "STORAGE_URL"),
        *("EMAIL_URL", "METRICS_TOKEN"),
    }
)
# Of torchrun, which may have started us in a container: the trainer and its further processes are started by us alone.
_LAUNCHER_VARIABLES = frozenset({"WORLD_SIZE", "RANK", "LOCAL_RANK", MEETING_FILE})

logger = logging.getLogger(__name__)


def trainer_environment(environ: Mapping[str, str], *, secrets: tuple[str, ...], offline: bool) -> dict[str, str]:
    """Return the environment of a trainer: ours without what names the portal, opens it or launches processes."""
    kept = {
        name: value
        for name, value in environ.items()
        if name.removesuffix("_FILE") not in _SECRET_VARIABLES
        and name not in _SECRET_VARIABLES | _LAUNCHER_VARIABLES
        and not any(secret in value for secret in secrets)
    }
    project = str(Path(__file__).resolve().parents[2])
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (project, kept.get("PYTHONPATH", ""))))
    kept |= {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
    if offline:
        kept |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return kept


class TrainerProcess:
    """One trainer for one attempt. Its files are `job.json` (in), `progress-<n>.json` and `outcome-<n>.json` (out)."""

    def __init__(self, folder: Path, attempt: int) -> None:
        self._folder = folder
        self._progress_path = folder / f"progress-{attempt}.json"
        self._outcome_path = folder / f"outcome-{attempt}.json"
        self._spool_path = spool_path(folder, attempt)
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._printed = 0
        self._last_progress: dict[str, Any] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self, job: dict[str, Any], *, environ: Mapping[str, str]) -> None:
        """Write job.json and start the child."""
        write_json(self._folder / "job.json", job)
        self._progress_path.unlink(missing_ok=True)
        self._outcome_path.unlink(missing_ok=True)
        module = environ.get(SIMULATION_VARIABLE, SIMULATION) if job["simulate"] else TRAINER
        # -P: nothing in the current folder can pose as a module.
        arguments = [sys.executable, "-P", "-m", module, str(self._folder)]
        self._process = start_process(arguments, environ=environ, cwd=self._folder)
        output = self._process.stdout
        self._reader = threading.Thread(target=self._read_output, args=(output,), name="trainer output", daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        """Tell whether the child runs."""
        return self._process is not None and self._process.poll() is None

    def tell(self, word: str) -> None:
        """Pass one order: finish, release or cancel."""
        stdin = self._process.stdin if self._process else None
        if stdin is None:
            return
        try:
            stdin.write(f"{word}\n".encode("ascii"))
            stdin.flush()
        except (OSError, ValueError):
            logger.debug("the trainer ended before it could be told to %s", word)

    def terminate(self) -> None:
        """Insist, after an order was passed: wakes a trainer that sits in a long wait."""
        if self._process is not None:
            ask_to_stop(self._process)

    def kill(self) -> None:
        """End it now. Raises TrainerLives when it cannot be ended."""
        if self._process is not None and not kill_tree(self._process):
            raise TrainerLives(f"The trainer, process {self._process.pid}, cannot be ended: restart this computer.")

    def new_progress(self) -> dict[str, Any] | None:
        """Return the state that the child wrote, if it is another than the last time."""
        state = read_json(self._progress_path)
        if state is None or state == self._last_progress:
            return None
        self._last_progress = state
        return state

    @property
    def last_step(self) -> int:
        """Return the last step that the child told of; 0 = none."""
        return int((self._last_progress or {}).get("step", 0))

    @property
    def signs_of_life(self) -> tuple[object, ...]:
        """Return what changes while the child works: what it did, recorded, printed, read and wrote."""
        recorded = self._spool_path.stat().st_size if self._spool_path.exists() else 0
        moved = count_io(self._process.pid) if self._process else ()
        return self._last_progress, recorded, self._printed, moved

    def read_outcome(self) -> dict[str, Any] | None:
        """Return how the child says that it ended; None when it died without a word."""
        return read_json(self._outcome_path)

    def close(self) -> int:
        """After the end: collect the rest of the output. Returns the exit code, negative for a signal."""
        if self._process is None or self._reader is None:
            raise RuntimeError("the trainer was never started")
        code = self._process.wait()
        self._reader.join(timeout=READER_SECONDS)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # an order that came too late is still in its buffer
                self._process.stdin.close()
        return code

    @property
    def last_lines(self) -> list[str]:
        """Return the last lines that the child printed."""
        return list(self._tail)

    def _read_output(self, output: IO[bytes]) -> None:
        mask = TokenMask()
        with output:
            while raw := output.readline(LINE_BYTES):
                line = mask.hide(raw.decode("utf-8", "replace").rstrip())
                self._tail.append(line)
                self._printed += 1
                logger.debug("trainer: %s", line)
