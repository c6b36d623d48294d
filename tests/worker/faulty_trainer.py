"""A simulation with a fault. A worker with BERT_SIMULATION=tests.worker.faulty_trainer plays its runs with this one.

The job's hyperparameter `fault`, or else the variable TRAINER_FAULT, says `<name>` or `<name>@<step>`: before the
first step, or after that one. Without a fault it is the plain simulation.
"""

import ctypes
import functools
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.ml.keeping.checkpoints import WEIGHTS
from bert_training.worker import simulation
from bert_training.worker.child import ChildReporter, run_child
from bert_training.worker.trainer_orders import CONTINUE, spool_path

MODULE = "tests.worker.faulty_trainer"
FAULT_VARIABLE = "TRAINER_FAULT"
MEBIBYTE = 1024 * 1024


class Trainer:
    """What a fault gets to know and may harm."""

    def __init__(self, job: dict[str, Any], folder: Path, reporter: ChildReporter) -> None:
        self.job = job
        self.folder = folder
        self.reporter = reporter


def exit_with_one(_trainer: Trainer) -> None:
    sys.stderr.flush()
    os._exit(1)


def read_nowhere(_trainer: Trainer) -> None:
    ctypes.string_at(0)


def die(_trainer: Trainer) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_supervisor(_trainer: Trainer) -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    threading.Event().wait()


def hang(_trainer: Trainer) -> None:
    threading.Event().wait()


def work_without_a_word(trainer: Trainer) -> None:
    """Show no progress and no line for 4 s, but let bytes arrive, as in a long download."""
    for _ in range(40):
        (trainer.folder / "download").write_bytes(b"x" * 4096)
        threading.Event().wait(0.1)
    raise ValueError("seven")


def tear_a_line(trainer: Trainer) -> None:
    with spool_path(trainer.folder, trainer.job["attempt"]).open("ab") as spool:
        spool.write(b'{"kind":"log","message":"half a li')
    die(trainer)


def raise_exception(_trainer: Trainer) -> None:
    raise ValueError("seven")


def raise_memory_error(_trainer: Trainer) -> None:
    raise MemoryError("no room for 8 GiB")


def exhaust_address_space(_trainer: Trainer) -> None:
    """Ask for more than `ulimit -v` allows: 256 MiB more than now."""
    limits = importlib.import_module("resource")  # not on Windows
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits.setrlimit(limits.RLIMIT_AS, (pages * limits.getpagesize() + 256 * MEBIBYTE,) * 2)
    bytearray(1024 * MEBIBYTE)


def eat_memory(_trainer: Trainer) -> None:
    """Take memory and use it until somebody stops us."""
    held = []
    while True:
        held.append(b"x" * (8 * MEBIBYTE))


def write_many_lines(trainer: Trainer) -> None:
    for number in range(1_000_000):
        trainer.reporter.log("INFO", f"burst {number} " + "x" * 200)


def answer_rows(trainer: Trainer) -> None:
    """Tell what a network answers for 3,000 rows, as a training does at its end."""
    rows = np.arange(2, 3002)
    labels = LabelAnswers(rows % 3, rows % 2, np.full((len(rows), 3), 1 / 3, dtype=np.float16))
    trainer.reporter.predictions(Predictions(PredictionSource.NETWORK, Split.TEST, rows, rows, labels))


def wait_in(phase: str) -> Callable[[Trainer], None]:
    """Return a fault that sits in a phase until it is told to stop."""

    def wait(trainer: Trainer) -> None:
        while trainer.reporter.directive() == CONTINUE:
            trainer.reporter.progress(phase=phase, epoch=1, step=1, total_steps=40, checkpoint_step=0)
            threading.Event().wait(0.02)

    return wait


def fail_on_the_gpu(_trainer: Trainer) -> None:
    raise importlib.import_module("torch").OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def meet_nan(trainer: Trainer) -> None:
    values = {"loss": float("nan"), "learning_rate": 1e-5}
    trainer.reporter.metrics(epoch=1, step=1, split="train", values=values)
    raise importlib.import_module("bert_training.ml.errors").NonFiniteLoss("The loss became nan at step 1 (epoch 1).")


def write_large_checkpoints(_trainer: Trainer) -> None:
    """Let each checkpoint hold 4 MiB of weights."""

    def write(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes(b"w" * (4 * MEBIBYTE))

    write_checkpoints_with(write)


def write_slow_checkpoint(trainer: Trainer) -> None:
    """Let a checkpoint take until the trainer is told to stop."""

    def wait(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes(b"w" * MEBIBYTE)
        wait_in("training")(trainer)

    write_checkpoints_with(wait)


def write_checkpoints_with(write_files: Callable[[Path], None]) -> None:
    module: Any = simulation
    module.write_checkpoint = functools.partial(module.write_checkpoint, write_files=write_files)


FAULTS: dict[str, Callable[[Trainer], None]] = {
    "exit": exit_with_one,
    "segfault": read_nowhere,
    "kill": die,
    "kill-supervisor": kill_supervisor,
    "hang": hang,
    "download": work_without_a_word,
    "torn": tear_a_line,
    "exception": raise_exception,
    "memory-error": raise_memory_error,
    "address-space": exhaust_address_space,
    "memory": eat_memory,
    "burst": write_many_lines,
    "answers": answer_rows,
    "gpu-memory": fail_on_the_gpu,
    "nan": meet_nan,
    "large-checkpoints": write_large_checkpoints,
    "slow-checkpoint": write_slow_checkpoint,
    **{phase: wait_in(phase) for phase in ("tokenizing", "evaluating", "saving")},
}
AS_IN_TRAINING = ("gpu-memory", "nan")  # through the code that names the failures of a real training


class FaultyReporter:
    """Passes everything on and lets the fault happen when its step is reported."""

    def __init__(self, reporter: ChildReporter, step: int, fault: Callable[[], None]) -> None:
        self._reporter = reporter
        self._step = step
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)

    def progress(self, *, step: int, **place: Any) -> None:
        self._reporter.progress(step=step, **place)
        if step == self._step:
            self._fault()


def play_with_fault(job: dict[str, Any], folder: Path, reporter: ChildReporter) -> dict[str, Any]:
    name, _, step = (job["hyperparameters"].get("fault") or os.environ.get(FAULT_VARIABLE, "")).partition("@")
    if not name:
        return simulation.play_job(job, folder, reporter)
    for number in range(60):
        sys.stderr.write(f"line {number} before the end\n")
    fault, trainer = FAULTS[name], Trainer(job, folder, reporter)
    if name in AS_IN_TRAINING:
        return fail_as_training_does(trainer, fault)
    if not step:
        fault(trainer)
    faulty: Any = FaultyReporter(reporter, int(step or -1), lambda: fault(trainer))
    return simulation.play_job(job, folder, faulty)


def fail_as_training_does(trainer: Trainer, fault: Callable[[Trainer], None]) -> dict[str, Any]:
    module: Any = importlib.import_module("bert_training.worker.trainer")
    memory = importlib.import_module("bert_training.ml.machine.memory")
    settings = importlib.import_module("bert_training.tasks.hyperparameters.settings").Hyperparameters()

    def train(*_arguments: object) -> None:
        with memory.explained_memory_errors(settings):
            fault(trainer)

    module._train = train
    return dict(module.run_job(trainer.job, trainer.folder, trainer.reporter))


if __name__ == "__main__":
    run_child(play_with_fault)
