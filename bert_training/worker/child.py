"""The trainer's side of the two pipes and the folder between it and its supervisor. Knows no network and no torch.

Orders come in as lines on standard input; its end means that the supervisor is gone, and then so are we. Where torchrun
or accelerate started us there is no supervisor: a person reads the console and the exit code.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from filelock import FileLock

from bert_training.contract.enums import HARDWARE, Outcome, Reason, Split
from bert_training.contract.limits import REMAINING_SECONDS
from bert_training.contract.streams import MetricPoint
from bert_training.data.predicting.prediction_records import to_records
from bert_training.data.predicting.predictions import Predictions
from bert_training.ml.keeping.folders import is_disk_full
from bert_training.ml.machine.meeting import is_launched
from bert_training.worker.ballast import describe_full_disk, write_at_last
from bert_training.worker.files import read_json, write_json
from bert_training.worker.hardware import STEPS_PER_POINT, HardwareGauge
from bert_training.worker.process_control import become_trainer, on_stop_signals
from bert_training.worker.spool import SpoolWriter
from bert_training.worker.timing import Timing
from bert_training.worker.trainer_lock import hold_trainer_lock
from bert_training.worker.trainer_orders import RELEASE, OrderBox, spool_path

PROGRESS_SECONDS = 0.2  # the supervisor looks about this often
SYNC_SECONDS = 1.0
REMAINING_STEP = 5
ROWS_NAMED = 10
ORPHANED_EXIT = 71
MESSAGE_CHARACTERS = 2000
FACT_CHARACTERS = 200  # of the contract's ShortText
_locks: list[FileLock] = []  # held until the process ends: a lock that nobody refers to is released


class ChildReporter:
    """Writes lines, points and predictions into the spool, the progress into a file; answers with the newest order.

    wants_predictions: whether the portal takes them.  hardware: what is told of this computer, empty = nothing.
    """

    def __init__(
        self,
        folder: Path,
        attempt: int,
        orders: OrderBox,
        *,
        timing: Timing,
        wants_predictions: bool = False,
        hardware: Callable[[], dict[str, float]] = dict,
    ) -> None:
        self._orders = orders
        self._timing = timing
        self._wants_predictions = wants_predictions
        self._hardware = hardware
        self._hardware_step = 0  # the last one with a point
        self._spool = SpoolWriter(spool_path(folder, attempt))
        self._progress_path = folder / f"progress-{attempt}.json"
        self._origin: dict[str, Any] = {}
        self._token_lengths: dict[str, Any] = {}
        self._remaining_seconds: int | None = None
        self._state: dict[str, Any] = {}
        self._pulses = 0
        self._written_at = float("-inf")

    def log(self, level: str, message: str) -> None:
        """Append one message to the log."""
        self._spool.append_log(level, message, ts=self._timing.utc_now())

    def metrics(self, *, epoch: int, step: int, split: str, values: dict[str, float]) -> None:
        """Append the figures of one step."""
        self._spool.append_metric(MetricPoint.of(epoch=epoch, step=step, split=Split(split), values=values))

    def progress(self, *, phase: str, epoch: int, step: int, total_steps: int, checkpoint_step: int) -> None:
        """Note where training is; written a few times a second and at every change of phase."""
        is_new_phase = phase != self._state.get("phase")
        self._pulses += 1  # a sign of life also while no step passes: rows encoded, rows judged
        self._state = {
            "phase": phase,
            "epoch": epoch,
            "step": step,
            "total_steps": total_steps,
            "checkpoint_step": checkpoint_step,
        }
        if is_new_phase or self._timing.monotonic() - self._written_at >= PROGRESS_SECONDS:
            self._write_progress()
        if step % STEPS_PER_POINT == 0 and step > self._hardware_step:
            self._hardware_step = step
            self._tell_hardware(epoch, step)

    def remaining(self, seconds: float) -> None:
        """Note how long it will still take, in steps of five seconds: a change alone is a reason to post.

        More than the portal takes would make every progress of the run unreadable.
        """
        self._remaining_seconds = round(min(seconds, REMAINING_SECONDS) / REMAINING_STEP) * REMAINING_STEP

    def origin(self, **facts: Any) -> None:
        """Note what the figures come from: the fields of contract.Reproducibility."""
        self._origin = facts
        self._state = self._state or {"phase": "preparing"}
        self._write_progress()

    def machine(self, *, device: str, precision: str, threads: int) -> None:
        """Add to the origin what the training library has chosen."""
        self._origin |= {"device": device[:FACT_CHARACTERS], "precision": precision, "threads": threads}
        self._write_progress()

    def token_lengths(self, counts: dict[str, Any]) -> None:
        """Note how long the rows are in tokens: the fields of contract.TokenLengths."""
        self._token_lengths = counts
        self._write_progress()

    def predictions(self, predictions: Predictions) -> None:
        """Append what one source answered. Rows too long for the portal are told of, and then none is sent."""
        if not self._wants_predictions:
            return
        too_long = self._spool.append_predictions(to_records(predictions))
        if too_long:
            rows = ", ".join(map(str, too_long[:ROWS_NAMED]))
            self.log(
                "WARNING",
                f"Rows with more entities than the portal takes ({len(too_long)}: {rows}): the portal gets no "
                "predictions of this run and so no proof of its figures. Divide these rows and train again.",
            )

    def directive(self) -> str:
        """Return the newest order."""
        return self._orders.current

    @property
    def step(self) -> int:
        """Return the last step that was told of; 0 = none."""
        return int(self._state.get("step", 0))

    def sync(self) -> None:
        """Put everything said so far on the disk."""
        self._spool.sync()

    def note_place(self) -> None:
        """Write the last state, if the disk takes it."""
        with contextlib.suppress(OSError):
            if self._state:
                self._write_progress()

    def close(self) -> None:
        """Write the last state."""
        if self._state:
            self._write_progress()
        self._spool.close()

    def _tell_hardware(self, epoch: int, step: int) -> None:
        if values := self._hardware():
            self._spool.append_metric(MetricPoint.of(epoch=epoch, step=step, split=HARDWARE, values=values))

    def _write_progress(self) -> None:
        self._written_at = self._timing.monotonic()
        told_once = {"reproducibility": self._origin or None, "token_lengths": self._token_lengths or None}
        left = {"remaining_seconds": self._remaining_seconds}
        write_json(self._progress_path, {**self._state, **left, "pulses": self._pulses, **told_once})


class ConsoleReporter(ChildReporter):
    """A reporter that also prints the log, for a person."""

    def log(self, level: str, message: str) -> None:
        """Append one message to the log and print it."""
        super().log(level, message)
        sys.stdout.write(f"{level} - {message}\n")
        sys.stdout.flush()


def enter_child(folder: Path) -> tuple[dict[str, Any], ChildReporter]:
    """Begin a trainer process: obey orders, never outlive the supervisor, sync once a second. Returns the job.

    No other trainer may work in the folder: raises filelock.Timeout.
    """
    orders = OrderBox()
    become_trainer(lambda: orders.put(RELEASE))
    if is_launched():
        on_stop_signals(lambda: orders.put(RELEASE))
    else:
        threading.Thread(target=_listen, args=(sys.stdin.fileno(), orders), name="orders", daemon=True).start()
    _locks.append(hold_trainer_lock(folder))
    job = read_json(folder / "job.json")
    if job is None:
        raise SystemExit(f"{folder / 'job.json'} is missing or damaged: only the supervisor starts a trainer.")
    timing = Timing()
    gauge = HardwareGauge(folder, timing)
    if job.get("wants_hardware"):
        gauge.start()
    kind = ConsoleReporter if is_launched() else ChildReporter
    reporter = kind(
        folder,
        int(job["attempt"]),
        orders,
        timing=timing,
        wants_predictions=bool(job.get("wants_predictions")),
        hardware=lambda: gauge.values,
    )
    threading.Thread(target=_sync_for_ever, args=(reporter,), name="sync", daemon=True).start()
    return job, reporter


def run_child(work: Callable[[dict[str, Any], Path, ChildReporter], dict[str, Any]]) -> NoReturn:
    """Be the trainer process of the folder that the first argument names. `work` returns how it ended."""
    folder = Path(sys.argv[1])
    job, reporter = enter_child(folder)
    try:
        outcome = work(job, folder, reporter)
    except OSError as error:
        if not is_disk_full(error):
            raise
        outcome = failure(Reason.DISK_FULL, describe_full_disk(folder.parents[1], error))
    finally:
        reporter.note_place()  # of a crash too: the supervisor says at which step it was
    leave_child(folder, job["attempt"], reporter, outcome)


def failure(reason: Reason, message: str) -> dict[str, Any]:
    """Return the outcome of a trainer that knows why it failed."""
    return {"outcome": Outcome.FAILED.value, "code": reason.value, "message": message[:MESSAGE_CHARACTERS]}


def leave_child(folder: Path, attempt: int, reporter: ChildReporter, outcome: dict[str, Any]) -> NoReturn:
    """End a trainer process: everything said is on the disk before the outcome is."""

    def write() -> None:
        reporter.close()
        write_json(folder / f"outcome-{attempt}.json", outcome, durable=True)

    write_at_last(folder.parents[1], write)
    end_process(outcome if is_launched() else {})  # a supervisor reads the file


def end_process(outcome: dict[str, Any]) -> NoReturn:
    """End at once; a failure is printed and is exit code 1."""
    if "code" in outcome:
        sys.stderr.write(f"{outcome['code']}: {outcome['message']}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit("code" in outcome)  # taking torch and transformers down in order took 4 s on a busy 2-core machine


def _listen(stdin: int, orders: OrderBox) -> None:
    # os.read, not sys.stdin: a thread inside a buffered reader aborts the interpreter when the main thread ends.
    rest = b""
    while block := os.read(stdin, 4096):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            orders.put(line.decode("ascii", "replace").strip())
    os._exit(ORPHANED_EXIT)  # not sys.exit: this is a thread, and the main one may sit in a long computation


def _sync_for_ever(reporter: ChildReporter) -> None:
    while True:
        time.sleep(SYNC_SECONDS)
        try:
            reporter.sync()
        except OSError:  # closed: the trainer is about to end
            return
