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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bert_training.data.process_limits import UPLOAD_LIMITS, ProcessLimits
from bert_training.data.reading.refusals import damaged, too_complex

logger = logging.getLogger(__name__)

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
ANSWER_BYTES = 16 * 1024 * 1024
ERROR_TAIL_BYTES = 4000
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


def run_in_sandbox(function: str, arguments: dict[str, Any], *, limits: ProcessLimits = UPLOAD_LIMITS) -> Any:
    """Call `package.module.function(**arguments)` in a child; arguments and answer are JSON values.

    Raises DatasetRefused(file_too_complex) when the child dies or overruns a limit, (file_damaged) when the reader
    panics, SandboxFailed when the function raises.
    """
    with tempfile.TemporaryDirectory(prefix="bert-check-") as folder:
        answer = Path(folder) / "answer.json"
        request = {"function": function, "arguments": arguments, "answer": str(answer), "limits": asdict(limits)}
        with (Path(folder) / "errors.txt").open("wb+") as errors:
            code = _run_child(json.dumps(request).encode(), folder, errors, limits)
            tail = _tail_of(errors)
        if code == 0 and answer.stat().st_size <= ANSWER_BYTES:
            return json.loads(answer.read_bytes())
        if code == 1:
            # "panicked": the reader, a compiled library, gave up on this file.
            raise damaged("the reader gave up") if "panicked at" in tail else SandboxFailed(tail)
        logger.warning("child process ended by a limit", extra={"exit_code": code, "function": function})
        raise too_complex()


def _run_child(request: bytes, folder: str, errors: Any, limits: ProcessLimits) -> int | None:
    """Start the child, feed it, wait; returns its exit code, or None when the wall clock ran out."""
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
        child.communicate(request, timeout=limits.wall_seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(child)
    return child.returncode


def _end(child: subprocess.Popen[bytes]) -> None:
    """Leave no process behind, whatever happened here or in the child."""
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
