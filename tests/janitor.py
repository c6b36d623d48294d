"""Cleans up behind the tests however they end: a child that waits for their end, kills what is left, removes folders.

It reads lines from its standard input, a pipe that only the tests hold: `watch GROUP SIGNAL`, `forget GROUP`,
`remove FOLDER`. At the end of the pipe (exit, Ctrl-C, kill -9) it acts. POSIX only.
"""

import atexit
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 5.0
POLL_SECONDS = 0.02


class Janitor:
    """The tests' end of the pipe."""

    def __init__(self) -> None:
        # An own session: Ctrl-C in the terminal must not reach the one that cleans up after Ctrl-C.
        self._child = subprocess.Popen(
            [sys.executable, "-S", "-P", __file__], stdin=subprocess.PIPE, start_new_session=True
        )
        self._watched: dict[int, subprocess.Popen[bytes]] = {}

    def watch(self, process: subprocess.Popen[bytes], *, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """Have the process group of `process`, its leader, stopped at the end: by this signal, then by SIGKILL."""
        self._watched[process.pid] = process
        self._say(f"watch {process.pid} {stop_signal.value}")

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Leave alone a group that has ended, since its number may be used again."""
        if self._watched.pop(process.pid, None):
            self._say(f"forget {process.pid}")

    def find(self, pid: int) -> subprocess.Popen[bytes]:
        """Return a watched process by its number. Raises KeyError."""
        return self._watched[pid]

    def remove(self, folder: Path) -> None:
        """Have a folder removed at the end, after the processes."""
        self._say(f"remove {folder}")

    def finish(self) -> None:
        """Say that the end has come and wait until everything is cleaned up."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        for process in self._watched.values():
            process.wait(timeout=2 * GRACE_SECONDS)  # reaps it; as a zombie it would look alive to the janitor
        self._child.wait(timeout=2 * GRACE_SECONDS)

    def _say(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{line}\n".encode())
        self._child.stdin.flush()


@functools.cache
def the_janitor() -> Janitor:
    """Return the one janitor of this test session; made on first use, finished when Python exits."""
    janitor = Janitor()
    atexit.register(janitor.finish)
    return janitor


def stop_groups(groups: dict[int, int]) -> None:
    """Send each process group its signal, and SIGKILL to those still there after GRACE_SECONDS."""
    for group, number in groups.items():
        _signal_group(group, number)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(_signal_group(group, 0) for group in groups):
        time.sleep(POLL_SECONDS)
    for group in groups:
        _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def main() -> None:
    """Collect orders until the pipe ends, then carry them out."""
    groups: dict[int, int] = {}
    folders: list[str] = []
    for line in sys.stdin:
        order, _, rest = line.rstrip("\n").partition(" ")
        if order == "watch":
            group, number = rest.split()
            groups[int(group)] = int(number)
        elif order == "forget":
            groups.pop(int(rest), None)
        elif order == "remove":
            folders.append(rest)
    stop_groups(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
