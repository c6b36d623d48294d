"""Runs one function in a fresh child process with limits, so that no file can harm the portal.

The child is a new interpreter (never a fork: the portal has threads), gets a clean environment without secrets, an
empty working folder, and answers through a file. Start-up costs about 0.15 s, nearly all of it imports.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bert_training.data.process_limits import UPLOAD_LIMITS, ProcessLimits
from bert_training.data.progress import read_percent
from bert_training.data.reading.refusals import damaged, too_complex
from bert_training.data.sandbox_child import PROGRESS

OnProgress = Callable[[int], None]

logger = logging.getLogger(__name__)

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
ANSWER_BYTES = 16 * 1024 * 1024
ERROR_TAIL_BYTES = 4000
POLL_SECONDS = 0.2
KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")
CHILD_VARIABLES = {
    "PYTHONPATH": str(PROJECT_FOLDER),
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    # One thread each: every further one reserves address space, which the memory limit counts.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
}


class SandboxFailed(Exception):
    """The function itself raised: our fault, not the file's. Carries the end of the child's traceback."""


def run_in_sandbox(
    function: str,
    arguments: dict[str, Any],
    *,
    limits: ProcessLimits = UPLOAD_LIMITS,
    on_progress: OnProgress | None = None,
) -> Any:
    """Call `package.module.function(**arguments)` in a child; arguments and answer are JSON values.

    on_progress: called several times a second with the percentage that the function has told (data.progress).
    Raises DatasetRefused(file_too_complex) when the child dies or overruns a limit, (file_damaged) when the reader
    panics, SandboxFailed when the function raises.
    """
    with tempfile.TemporaryDirectory(prefix="bert-check-") as folder:
        answer = Path(folder) / "answer.json"
        request = {"function": function, "arguments": arguments, "answer": str(answer), "limits": asdict(limits)}
        with (Path(folder) / "errors.txt").open("wb+") as errors:
            with _started(folder, errors) as child:
                watch = Watch(limits.wall_seconds, Path(folder) / PROGRESS, on_progress)
                code = watch.wait(child, json.dumps(request).encode())
            tail = _tail_of(errors)
        if code == 0 and answer.stat().st_size <= ANSWER_BYTES:
            return json.loads(answer.read_bytes())
        if code == 1:
            # "panicked": the reader, a compiled library, gave up on this file.
            raise damaged("the reader gave up") if "panicked at" in tail else SandboxFailed(tail)
        logger.warning("child process ended by a limit", extra={"exit_code": code, "function": function})
        raise too_complex()


@contextmanager
def _started(folder: str, errors: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start the child; leave no process behind, whatever happens."""
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | CHILD_VARIABLES
    child = subprocess.Popen(
        [sys.executable, "-m", "bert_training.data.sandbox_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        _end(child)


@dataclass(frozen=True)
class Watch:
    """Waits for a child until the wall clock runs out, and passes on how far it is."""

    wall_seconds: float
    progress: Path
    on_progress: OnProgress | None

    def wait(self, child: subprocess.Popen[bytes], request: bytes) -> int | None:
        """Feed the child and wait; returns its exit code, None when it took too long."""
        deadline = time.monotonic() + self.wall_seconds
        left: float = self.wall_seconds
        unsent: bytes | None = request
        while left > 0:
            try:
                child.communicate(unsent, timeout=left if self.on_progress is None else min(left, POLL_SECONDS))
                return child.returncode
            except subprocess.TimeoutExpired:
                unsent = None  # what is left of it is kept by the child object
            if self.on_progress is not None:
                self.on_progress(read_percent(self.progress))
            left = deadline - time.monotonic()
        return None


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what still runs, and what it may have started."""
    if child.poll() is not None:
        return
    if sys.platform == "win32":
        child.kill()
    else:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _tail_of(errors: Any) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - ERROR_TAIL_BYTES))
    return str(errors.read().decode("utf-8", "replace"))
