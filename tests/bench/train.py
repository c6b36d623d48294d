"""Our training loop and the HF Trainer side by side: `make bench BENCH=train` (BENCH_ARGS="--device cuda" on a GPU).

Each measurement is a process of its own with one thread, by turns; the same rows in the same order, but for the HF
Trainer's grouping by length.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal

from bert_training.ml.learning.precision import CPU_BF16_FLAGS
from bert_training.ml.machine.hardware import cpu_flags
from tests.bench.frame import IS_QUICK, PROJECT_FOLDER, Figure, report, rounds_for
from tests.bench.train_once import Measured, Setup
from tests.bench.train_texts import BASE, SMALL

NOTES = """Real tokens a second: padding is not counted. One process and one thread a measurement, by turns ({rounds}
rounds). First steps, evaluation, saving and logging are left out on both sides. The HF Trainer runs in the precision
that is named, ours in the one that it chooses by itself. Grouped batches of the HF Trainer are drawn evenly from all
lengths. The share of the matrix peak is the floating point operations that serve a real token over those of the fastest
bf16 matrix product of the same run; {base} is of base size with weights of chance."""
CURVE_STEPS = 40 if IS_QUICK else 120
CURVE_DISTANCE = 0.01


@dataclass(frozen=True)
class Reference:
    """One way to use the HF Trainer. steps: how many are counted, for reviews and for decisions."""

    name: str
    recipe: Literal["padded", "dynamic", "grouped"]
    precision: Literal["fp32", "bf16"]
    steps: tuple[int, int]
    goals: tuple[float, float]


REFERENCES = (
    Reference("padded to 512, fp32", "padded", "fp32", (3, 2), (60, 12)),
    Reference("dynamic padding, fp32", "dynamic", "fp32", (8, 4), (9, 8)),
    Reference("dynamic padding, bf16", "dynamic", "bf16", (16, 5), (4.5, 5.5)),
    Reference("group_by_length, bf16", "grouped", "bf16", (100, 10), (2.5, 3)),
)
TEXTS = ("reviews", "decisions")
OUR_STEPS = {"reviews": 30, "decisions": 10}
UTILISATION_GOALS = {("reviews", SMALL): 0.5, ("decisions", SMALL): 0.5, ("reviews", BASE): 0.65}
GPU_GOALS = {"padded": 10.0, "utilisation": 0.5}
GPU_STEPS = 40


def main() -> None:
    """Measure everything, then report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    device = parser.parse_args().device
    rounds = rounds_for(1, 3)
    with tempfile.TemporaryDirectory(prefix="bert-bench-") as folder:
        bench = Bench(Setup("ours", folder, device=device), rounds)
        figures = [*bench.speeds(), *bench.utilisations(), *bench.memories(), bench.curve()]
    report("train" if device == "cpu" else "train_cuda", NOTES.format(rounds=rounds, base=BASE), figures)


class Bench:
    """Measures each thing once and remembers it."""

    def __init__(self, basis: Setup, rounds: int) -> None:
        self.basis = basis
        self.rounds = rounds
        self.is_judged = basis.device != "cpu" or not cpu_flags().isdisjoint(CPU_BF16_FLAGS)
        self.ours: dict[tuple[str, str], list[Measured]] = {}
        self.theirs: dict[tuple[str, str], list[Measured]] = {}
        self.peaks: list[float] = []

    def speeds(self) -> Iterator[Figure]:
        """Compare tokens a second, each reference beside a measurement of ours."""
        for texts in TEXTS:
            for _round in range(self.rounds):
                self._peak()
                for reference in REFERENCES:
                    self._measure_ours(texts, SMALL)
                    self._measure_theirs(texts, reference)
        for texts in TEXTS:
            ours = self.ours[texts, SMALL]
            for number, reference in enumerate(REFERENCES):
                mine = ours[number :: len(REFERENCES)]  # those that were measured beside it
                yield Figure(
                    f"{texts}: training, over {reference.name}",
                    "real tokens/s",
                    [one.tokens_per_second for one in mine],
                    [one.tokens_per_second for one in self.theirs[texts, reference.name]],
                    f"HF Trainer, {reference.name}",
                    goal=self._goal(reference, texts),
                    goal_is="times",
                )

    def utilisations(self) -> Iterator[Figure]:
        """Compare floating point operations with those of the fastest matrix product."""
        for _round in range(self.rounds):
            self._peak()
            self._measure_ours("reviews", BASE, batch_size=8)
        peak = max(self.peaks)
        for (texts, model), goal in UTILISATION_GOALS.items():
            ours = [one.flops_per_second / peak for one in self.ours[texts, model]]
            wanted = GPU_GOALS["utilisation"] if self.basis.device != "cpu" and model == BASE else goal
            judged = wanted if self.is_judged and (self.basis.device == "cpu" or model == BASE) else None
            yield Figure(f"{texts}, {model}: share of the matrix peak", "", ours, goal=judged, goal_is="at least")
        yield Figure("fastest bf16 matrix product", "GFLOP/s", [one / 1e9 for one in self.peaks])

    def memories(self) -> Iterator[Figure]:
        """Compare peak memory."""
        for texts in TEXTS:
            reference = REFERENCES[2]
            yield Figure(
                f"{texts}: peak memory",
                "MB",
                [one.peak_bytes / 1e6 for one in self.ours[texts, SMALL]],
                [one.peak_bytes / 1e6 for one in self.theirs[texts, reference.name]],
                f"HF Trainer, {reference.name}",
            )

    def curve(self) -> Figure:
        """Return the largest distance of our loss from that of the HF Trainer in fp32, without dropout."""
        setup = replace(self.basis, model=SMALL, dropout=0.0, warmup=1, steps=CURVE_STEPS - 1)
        ours = _run(setup).losses
        theirs = _run(replace(setup, recipe="dynamic")).losses
        distance = max(abs(mine - other) for mine, other in zip(ours, theirs, strict=True))
        name = f"largest distance of loss from fp32, {CURVE_STEPS} steps without dropout"
        return Figure(name, "", [distance], goal=CURVE_DISTANCE if self.is_judged else None)

    def _goal(self, reference: Reference, texts: str) -> float | None:
        if self.basis.device != "cpu":
            return GPU_GOALS.get(reference.recipe)
        return reference.goals[TEXTS.index(texts)] if self.is_judged else None

    def _measure_ours(self, texts: str, model: str, *, batch_size: int = 16) -> None:
        setup = replace(
            self.basis, texts=texts, model=model, batch_size=batch_size, steps=self._steps(OUR_STEPS[texts])
        )
        self.ours.setdefault((texts, model), []).append(_run(setup))

    def _measure_theirs(self, texts: str, reference: Reference) -> None:
        steps = self._steps(reference.steps[TEXTS.index(texts)])
        every = self.basis.rows // self.basis.batch_size // steps if reference.recipe == "grouped" else 1
        setup = replace(self.basis, recipe=reference.recipe, texts=texts, model=SMALL, precision=reference.precision)
        setup = replace(setup, steps=steps, warmup=1, every=max(1, every))
        self.theirs.setdefault((texts, reference.name), []).append(_run(setup))

    def _peak(self) -> None:
        self.peaks.append(_run(replace(self.basis, recipe="peak")).flops_per_second)

    def _steps(self, steps: int) -> int:
        return steps if self.basis.device == "cpu" else GPU_STEPS


def _run(setup: Setup) -> Measured:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.train_once", json.dumps(asdict(setup))]
    environ = {**os.environ, "OMP_NUM_THREADS": str(setup.threads), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=PROJECT_FOLDER, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{setup} ended with {done.returncode}: {done.stderr[-4000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
