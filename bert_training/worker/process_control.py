"""Processes and signals, each thing once with its Windows branch: start, priority, stop, kill, death of the parent."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import psutil

IS_WINDOWS = os.name == "nt"
NICENESS = 5
KILL_SECONDS = 30.0  # for a killed process to be gone: the system first takes back its memory
OOM_SCORE = "500"  # when memory runs out the kernel picks the trainer, and the supervisor can still report it
_PR_SET_PDEATHSIG = 1


def start_process(arguments: list[str], *, environ: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    """Start a child with pipes to all its streams.

    On POSIX it stays in our process group, so that killing the group leaves nothing. On Windows it gets its own,
    or Ctrl-C in the console would end it before it could hand back its work.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
        arguments,
        env=dict(environ),
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def start_follower(arguments: list[str], *, environ: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    """Start a process that prints where we print and reads a pipe of ours, which ends when we do."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
        arguments,
        env=dict(environ),
        cwd=cwd,
        stdin=subprocess.PIPE,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM. Windows has no such request; there the line on standard input must do."""
    if not IS_WINDOWS and process.poll() is None:
        process.terminate()


def kill_tree(process: subprocess.Popen[bytes]) -> bool:
    """Kill a child and whatever it started, at once; nothing when it has ended. Tells whether the child is gone."""
    if process.poll() is not None:
        return True
    with contextlib.suppress(psutil.Error):
        for descendant in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                descendant.kill()
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILL_SECONDS)
        return True
    return False  # a driver holds it


def count_io(pid: int) -> tuple[int, ...]:
    """Return what a process read and wrote so far: it grows while a model is downloaded. Empty where nobody counts."""
    with contextlib.suppress(psutil.Error, AttributeError):  # macOS has no such counters
        return tuple(psutil.Process(pid).io_counters())
    return ()


def on_stop_signals(handler: Callable[[], None]) -> None:
    """Call `handler` at SIGTERM, Ctrl-C and, on Windows, Ctrl-Break; they no longer end the process by themselves."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        handler()

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, handle)


def become_trainer(on_terminate: Callable[[], None], *, is_nice: bool = True) -> None:
    """Make this process a good trainer: below the desktop, first victim of the OOM killer, dead when its parent dies.

    Ctrl-C is the supervisor's business. SIGTERM calls `on_terminate`. is_nice: False where the parent is it already.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: on_terminate())
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    with contextlib.suppress(OSError):
        os.nice(NICENESS if is_nice else 0)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def describe_exit(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
    return f"signal {-code} ({name})"
