"""Measures one action of the benchmark `import` in a process of its own: its time and its peak memory, nobody else's.

A module of actions calls `answer` when it is started as a program; `measure` starts it.
"""

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
KIB = 1024

Action = Callable[..., "Measured"]


@dataclass(frozen=True)
class Measured:
    """How long an action took, how much memory it had at most, and what it answered."""

    seconds: float
    peak_bytes: int
    says: str

    @property
    def peak_megabytes(self) -> float:
        """Return the memory in MB of 1,000,000 bytes."""
        return self.peak_bytes / 1e6


def measure(module: str, action: str, *arguments: str | Path) -> Measured:
    """Have a module of this package do one of its actions in a fresh process."""
    command = [sys.executable, "-m", f"tests.bench.{module}", action, *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module} {action} ended with {done.returncode}: {done.stderr[-4000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def answer(actions: Mapping[str, Action]) -> None:
    """Do what the command line says and print it."""
    name, *arguments = sys.argv[1:]
    print(json.dumps(asdict(actions[name](*arguments))))


def of_this_process(work: Callable[[], object]) -> Measured:
    """Measure work that is done here. What was imported before counts as memory, not as time."""
    says, seconds = _timed(work)
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert peak is not None
    return Measured(seconds, int(peak[1]) * KIB, says)


def of_children(work: Callable[[], object]) -> Measured:
    """Measure work that child processes do, with their start; the memory is that of the largest."""
    says, seconds = _timed(work)
    return Measured(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KIB, says)


def _timed(work: Callable[[], object]) -> tuple[str, float]:
    began = time.perf_counter()
    says = str(work())
    return says, time.perf_counter() - began
