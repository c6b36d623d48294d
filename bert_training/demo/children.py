"""Starts the demo's processes and makes sure that none of them outlives it.

Each child leads a process group of its own, so that Ctrl-C reaches the demo alone, which then stops them in order.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
TAIL_BYTES = 4000
_PR_SET_PDEATHSIG = 1


class Child:
    """One running process; what it prints goes into `log`."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                preexec_fn=_end_with_parent() if sys.platform == "linux" else None,
            )

    @property
    def is_running(self) -> bool:
        """Tell whether the process has not ended."""
        return self.process.poll() is None

    @property
    def tail(self) -> str:
        """Return the end of what it printed."""
        return self.log.read_bytes()[-TAIL_BYTES:].decode("utf-8", "replace")

    def ask_to_stop(self) -> None:
        """Send the polite signal to the process, which tells its own children."""
        with contextlib.suppress(OSError):
            self.process.send_signal(signal.SIGTERM if os.name == "posix" else signal.CTRL_BREAK_EVENT)  # type: ignore[attr-defined,unused-ignore]

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Wait for the end of a process that was asked to stop; then end whatever is left of its group."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=seconds)
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        elif self.is_running:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(self.process.pid)], capture_output=True)  # noqa: S603, S607
        self.process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """Ask all to stop at once, then wait for each."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.stop(seconds=max(0.0, deadline - time.monotonic()))


def _end_with_parent() -> Callable[[], None]:
    """Return what a Linux child does first: ask for SIGTERM when its parent dies, however it dies.

    The library is loaded before the fork, after which a child should do next to nothing.
    """
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
