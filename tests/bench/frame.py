"""The frame of all benchmarks: measures ours and a reference by turns, prints medians, keeps the results.

`report` writes var/bench/<name>.json and the benchmark's section of docs/benchmarks.md.
"""

import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypeVar

import psutil

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
HEADER = ("figure", "unit", "ours: median (spread)", "reference: median (spread)", "reference is", "ratio", "goal")
INTRODUCTION = """# Benchmarks

`make bench BENCH=name` measures and writes its section anew; `QUICK=1` takes fewer rounds,
`TEST_EMBEDDED=1` runs the portal on SQLite without servers (sections called `..._embedded`). *Spread* is the smallest
and the largest value, *ratio* is ours divided by the reference; the two are measured by turns, so that a busy machine
harms both alike. The load average belongs to the figures: above the number of cores, times are longer than usual.
"""

Result = TypeVar("Result")

IS_QUICK = os.environ.get("QUICK", "") not in ("", "0")


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, each time.

    `goal` is the most or the least that the median of ours may be, or how many times the reference it is at least or
    at most.
    """

    figure: str
    unit: str
    ours: Sequence[float]
    reference: Sequence[float] = ()
    reference_name: str = ""
    goal: float | None = None
    goal_is: Literal["at most", "at least", "times", "times at most"] = "at most"

    @property
    def ratio(self) -> float | None:
        """Return how many times the reference ours is; None without a reference."""
        return median(self.ours) / median(self.reference) if self.reference else None

    @property
    def is_reached(self) -> bool | None:
        """Tell whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        value = self.ratio if self.goal_is.startswith("times") else median(self.ours)
        if value is None:
            return False
        return value <= self.goal if self.goal_is.endswith("at most") else value >= self.goal

    def as_json(self) -> dict[str, Any]:
        """Return what var/bench/<name>.json says about it."""
        return {
            "figure": self.figure,
            "unit": self.unit,
            "ours": median(self.ours),
            "reference": median(self.reference) if self.reference else None,
            "reference_name": self.reference_name,
            "ratio": self.ratio,
            "goal": self.goal,
            "goal_is": self.goal_is,
            "reached": self.is_reached,
        }

    def cells(self) -> list[str]:
        """Return its row of the printed table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = {None: "", True: "reached", False: "MISSED"}[self.is_reached]
        goal = "" if self.goal is None else f"{self.goal_is} {self.goal:g}: {verdict}"
        return [self.figure, self.unit, _spread(self.ours), _spread(self.reference), self.reference_name, ratio, goal]


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long an action takes, in seconds."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def by_turns(
    ours: Callable[[], Result], reference: Callable[[], Result], *, rounds: int
) -> tuple[list[Result], list[Result]]:
    """Measure both `rounds` times, changing who goes first; an uncounted round before fills caches."""
    ours(), reference()
    mine: list[Result] = []
    theirs: list[Result] = []
    for number in range(rounds):
        pair = [(ours, mine), (reference, theirs)]
        for measure, results in pair if number % 2 else reversed(pair):
            results.append(measure())
    return mine, theirs


def rounds_for(quick: int, full: int) -> int:
    """Choose how often to measure."""
    return quick if IS_QUICK else full


def report(name: str, notes: str, figures: Iterable[Figure], *, folder: Path = PROJECT_FOLDER) -> None:
    """Print the table with its machine, write the JSON, put both into docs/benchmarks.md. `notes`: how it was done."""
    listed = list(figures)
    machine = f"Measured {_now()}{_how()} on {describe_machine()}."
    section = "\n".join([machine, "", notes, "", *_table(listed)])
    print(section)
    results = folder / "var" / "bench" / f"{name}.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps([figure.as_json() for figure in listed], indent=2, ensure_ascii=False) + "\n")
    page = folder / "docs" / "benchmarks.md"
    page.parent.mkdir(exist_ok=True)
    text = page.read_text(encoding="utf-8") if page.exists() else INTRODUCTION
    page.write_text(put_section(text, name, section), encoding="utf-8")


def put_section(page: str, name: str, section: str) -> str:
    """Replace the section `## name` of a page, up to the next one; append it when there is none."""
    new = f"## {name}\n\n{section.rstrip()}\n"
    old = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if found := old.search(page):
        rest = page[found.end() :]
        return page[: found.start()] + new + (f"\n{rest}" if rest else "")
    return f"{page.rstrip()}\n\n{new}"


def describe_machine() -> str:
    """Name processor, cores, memory, system, and how busy it is (load average of 1, 5 and 15 minutes)."""
    memory = psutil.virtual_memory().total / 1024**3
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{psutil.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {system}, load average {load}"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:  # not Linux
        found = None
    return found[1] if found else platform.processor()


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def _how() -> str:
    return " with QUICK=1" if IS_QUICK else ""


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g}, n={len(values)})"


def _table(figures: Iterable[Figure]) -> list[str]:
    rows = [list(HEADER), ["---"] * len(HEADER), *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
