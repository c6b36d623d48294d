"""A network namespace for one worker, joined to this machine by a cable (veth) that can be pulled or made lossy.

Needs root, `ip` and, for lost packets, `iptables`: `why_not` says what is missing. Everything is gone on exit.
"""

import ctypes
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

CLONE_NEWNET = 0x40000000
# 198.18.0.0/15 is for measuring networks (RFC 2544): nobody's route leads there. Each process has a block of its own.
_numbers = itertools.count(1)


def why_not(*programs: str) -> str:
    """Return why namespaces cannot be used here, "" when they can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    missing = [program for program in ("ip", *programs) if shutil.which(program) is None]
    if missing:
        return f"{' and '.join(missing)} not installed"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
    return f"no network namespace can be made: {probe.stderr.strip()}" if probe.returncode else ""


class Namespace:
    """One namespace; `host` is this machine's address on the cable. Use as a context manager."""

    def __init__(self) -> None:
        number = next(_numbers)
        self._name = f"bert-{os.getpid()}-{number}"
        self._here, self._there = f"bt{os.getpid()}h{number}", f"bt{os.getpid()}n{number}"  # at most 15 characters
        network = f"198.{18 + os.getpid() // 256 % 2}.{os.getpid() % 256}"
        self.host, self._inside = f"{network}.{4 * number + 1}", f"{network}.{4 * number + 2}"

    def __enter__(self) -> Self:
        run("ip", "netns", "add", self._name)
        run("ip", "link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self._name)
        run("ip", "address", "add", f"{self.host}/30", "dev", self._here)
        run("ip", "link", "set", self._here, "up")
        self._run_inside("ip", "address", "add", f"{self._inside}/30", "dev", self._there)
        self._run_inside("ip", "link", "set", "lo", "up")
        self.mend()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        run("ip", "netns", "delete", self._name)
        subprocess.run(["ip", "link", "delete", self._here], capture_output=True)  # it went with the namespace, mostly

    def cut(self) -> None:
        """Pull the cable inside: connections stay open and hear nothing, new ones fail at once."""
        self._run_inside("ip", "link", "set", self._there, "down")

    def mend(self) -> None:
        """Put the cable back."""
        self._run_inside("ip", "link", "set", self._there, "up")

    def lose(self, share: float) -> None:
        """Lose this share of all packets, in each direction, from now on; 1 is a black hole."""
        chance = ("-m", "statistic", "--mode", "random", "--probability", f"{share:g}", "-j", "DROP")
        for chain in ("INPUT", "OUTPUT"):
            self._run_inside("iptables", "-A", chain, *chance)

    def lose_nothing(self) -> None:
        """Let all packets through again."""
        self._run_inside("iptables", "-F")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread, and each process that it starts, live in the namespace."""
        with Path("/proc/thread-self/ns/net").open() as outside, Path(f"/run/netns/{self._name}").open() as inside:
            _set_namespace(inside.fileno())
            try:
                yield
            finally:
                _set_namespace(outside.fileno())

    def _run_inside(self, *command: str) -> None:
        run("ip", "netns", "exec", self._name, *command)


def _set_namespace(file: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(file, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns failed")


def run(*command: str) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
