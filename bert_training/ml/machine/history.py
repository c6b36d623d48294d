"""What past runs on this machine took: JSON lines, bounded, written whole. Losing the file costs a worse forecast only.

Knows no text, no label, no name of a run: only sizes and durations.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

KEPT_RUNS = 200


@dataclass(frozen=True)
class RunProfile:
    """What decides how long a run takes on a machine. parameters: without word vectors, which cost nearly nothing.

    row_tokens, step_tokens: mean numbers of tokens that go through the network.
    """

    device: str
    precision: str
    processes: int
    threads: int
    parameters: int
    trained_parameters: int
    row_tokens: float
    step_tokens: float
    is_sharded: bool = False

    def distance_to(self, other: "RunProfile") -> float:
        """Tell how unlike two runs are: 0 for equal ones, 0.7 for twice as much of one thing."""
        kinds = ("device", "precision", "processes", "is_sharded")
        if any(getattr(self, name) != getattr(other, name) for name in kinds):
            return math.inf
        sizes = ("threads", "parameters", "trained_parameters", "row_tokens", "step_tokens")
        pairs = ((getattr(self, name), getattr(other, name)) for name in sizes)
        return sum(abs(math.log(max(own, 1) / max(its, 1))) for own, its in pairs)


@dataclass(frozen=True)
class PastRun:
    """What a run took, by its phases. Bytes: as rehearsed, and at the highest."""

    profile: RunProfile
    train_tokens: float
    train_seconds: float
    judged_tokens: float
    judged_seconds: float
    rehearsed_bytes: int
    peak_bytes: int


def read_history(path: Path | None) -> list[PastRun]:
    """Return the runs in the file, oldest first; lines that are damaged or of another version are passed over."""
    if path is None or not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [run for run in map(_read_line, lines) if run is not None]


def add_to_history(path: Path, run: PastRun) -> None:
    """Add a run and forget the oldest beyond KEPT_RUNS. Raises OSError."""
    runs = [*read_history(path), run][-KEPT_RUNS:]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text("".join(f"{json.dumps(asdict(run))}\n" for run in runs), encoding="utf-8")
    os.replace(unfinished, path)


def most_similar(profile: RunProfile, runs: Sequence[PastRun], *, most: int, within: float) -> list[PastRun]:
    """Return the runs that are most like this one, the newest of equals first; none that is further away."""
    near = [run for run in reversed(runs) if profile.distance_to(run.profile) <= within]
    return sorted(near, key=lambda run: profile.distance_to(run.profile))[:most]


def _read_line(line: str) -> PastRun | None:
    try:
        facts = json.loads(line)
        profile = RunProfile(**facts.pop("profile"))
        run = PastRun(profile, **facts)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    numbers = [getattr(run, item.name) for item in fields(run) if item.name != "profile"]
    numbers += [value for value in asdict(profile).values() if not isinstance(value, str)]
    is_sound = all(isinstance(number, int | float) and math.isfinite(number) and number >= 0 for number in numbers)
    return run if is_sound and run.train_tokens > 0 else None
