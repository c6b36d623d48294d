"""Runs the suite in two lanes side by side, as `make test` and `make test-long` do: python -m tests.lanes [--long].

Tests that start processes and wait for them leave the processor idle: beside the others they cost no time. Each lane
has servers of its own. With arguments for pytest (python -m tests.lanes -- -k soak) everything runs in one lane.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

NOTHING_SELECTED = 5  # of pytest: arguments may leave a session without tests
WAITING = ("tests/faults", "tests/end_to_end", "tests/worker", "tests/portal", "tests/test_services.py")


@dataclass(frozen=True)
class Session:
    """One run of pytest. name: stands before each of its lines.  only_embedded: the core, on SQLite."""

    name: str
    selection: Sequence[str] = ()
    only_embedded: bool = False

    def run(self, *, is_long: bool) -> bool:
        """Run it to its end, telling its lines as they come; returns whether nothing failed."""
        marks = [mark for mark in ("embedded" * self.only_embedded, "not long" * (not is_long)) if mark]
        command = [sys.executable, "-m", "pytest", *(["-m", " and ".join(marks)] if marks else []), *self.selection]
        surroundings = os.environ | ({"TEST_EMBEDDED": "1"} if self.only_embedded else {})
        process = subprocess.Popen(
            command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert process.stdout is not None
        for line in process.stdout:
            print(f"[{self.name}] {line}", end="", flush=True)
        return process.wait() in (0, NOTHING_SELECTED)


def run_lane(sessions: Sequence[Session], *, is_long: bool) -> list[str]:
    """Run sessions one after the other, also after one that failed; returns the names of those that failed."""
    return [each.name for each in sessions if not each.run(is_long=is_long)]


def lanes_of(arguments: Sequence[str]) -> list[list[Session]]:
    """Return the sessions of each lane. arguments: for pytest."""
    if arguments:
        return [[Session("tests", arguments), Session("SQLite", arguments, only_embedded=True)]]
    others = [f"--ignore={path}" for path in WAITING]
    return [
        [Session("waiting", WAITING), Session("SQLite", only_embedded=True)],
        [Session("computing", others)],
    ]


def main() -> int:
    """Run all lanes; returns 0 when nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="the long forms too")
    parser.add_argument("arguments", nargs="*", help="for pytest, after --")
    options = parser.parse_args()
    lanes = lanes_of(options.arguments)
    with ThreadPoolExecutor(len(lanes)) as pool:
        failed = [name for names in pool.map(partial(run_lane, is_long=options.long), lanes) for name in names]
    print(f"FAILED: {', '.join(failed)}" if failed else "All sessions passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
