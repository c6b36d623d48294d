"""Figures with intervals, ours and a plain bootstrap loop side by side: `make bench BENCH=evaluate`.

Each measurement is a process of its own with one thread, by turns.
"""

import json
import os
import subprocess
import sys

from tests.bench.evaluate_answers import CLASSES, ROWS, SENTENCES, TYPES
from tests.bench.evaluate_measured import Measured
from tests.bench.frame import PROJECT_FOLDER, Figure, by_turns, report, rounds_for

SECONDS_GOAL, MEGABYTES_GOAL, TIMES_GOAL = 10.0, 500.0, 20.0
NOTES = """Answers of a network, a linear method and the most frequent class, made at random. Ours makes the whole
proof: every figure, per class too, with its interval from 2,000 replicates, the same for both baselines, the paired
gain over them, calibration, confusion. The reference draws rows with replacement and reports anew on each of the three,
{labels} times for labels and {entities} times for entities; its seconds are scaled to 2,000 replicates. It gives
neither areas, log-loss and calibration nor heed to near-duplicates. A measurement is a process of its own with one
thread, by turns ({rounds} rounds); seconds are those of the processor, without imports and the making of the answers;
memory is the highest of the process, with them."""
REPLICATES = {"labels": rounds_for(20, 50), "entities": rounds_for(2, 5)}
REFERENCES = {"labels": "classification_report of scikit-learn", "entities": "classification_report of seqeval, strict"}


def main() -> None:
    """Measure everything, then report."""
    rounds = rounds_for(2, 5)
    figures = [
        *measure("labels", f"{ROWS:,} answers of {CLASSES} classes", rounds, is_judged=True),
        *measure("entities", f"{SENTENCES:,} sentences, {len(TYPES)} types", rounds, is_judged=False),
    ]
    report("evaluate", NOTES.format(rounds=rounds, **REPLICATES), figures)


def measure(kind: str, what: str, rounds: int, *, is_judged: bool) -> list[Figure]:
    """Measure one kind of answers."""
    ours, theirs = by_turns(
        lambda: once("evaluate_ours", kind), lambda: once("evaluate_plain", kind, str(REPLICATES[kind])), rounds=rounds
    )
    name, wanted = REFERENCES[kind], ours[0].replicates
    return [
        Figure(
            f"{what}: the proof",
            "s",
            [one.seconds for one in ours],
            [one.seconds / one.replicates * wanted for one in theirs],
            f"{name}, scaled from {REPLICATES[kind]} to {wanted:,}",
            goal=SECONDS_GOAL if is_judged else None,
        ),
        Figure(
            f"{what}: replicates",
            "1/s",
            [one.replicates / one.seconds for one in ours],
            [one.replicates / one.seconds for one in theirs],
            name,
            goal=TIMES_GOAL if is_judged else None,
            goal_is="times",
        ),
        Figure(
            f"{what}: peak memory",
            "MB",
            [one.peak_bytes / 1e6 for one in ours],
            [one.peak_bytes / 1e6 for one in theirs],
            name,
            goal=MEGABYTES_GOAL if is_judged else None,
        ),
    ]


def once(module: str, *arguments: str) -> Measured:
    """Measure once, in a process of its own."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
    answer = subprocess.run(
        command, cwd=PROJECT_FOLDER, env={**os.environ, **one_thread}, check=True, capture_output=True, text=True
    )
    return Measured(**json.loads(answer.stdout))


if __name__ == "__main__":
    main()
