"""Trains in this process what the worker's trainer child trains, and leaves model, predictions and proof in a folder.

The same command in the same folder goes on where it stopped, or shows the proof again when it was completed.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any, cast

from filelock import Timeout

from bert_training.contract.enums import Outcome
from bert_training.data.predicting.prediction_files import write_predictions
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.proof.prove import prove
from bert_training.data.proof.shape import Proof
from bert_training.ml.keeping.checkpoints import newest_checkpoint
from bert_training.worker.child import ConsoleReporter
from bert_training.worker.exits import LocalExit
from bert_training.worker.files import read_json, write_json
from bert_training.worker.local.options import LocalOptions
from bert_training.worker.local.proof_table import proof_text
from bert_training.worker.local.refusal import LocalRefused
from bert_training.worker.local.spreadsheet import LocalData, take_spreadsheet
from bert_training.worker.process_control import on_stop_signals
from bert_training.worker.resume import checkpoints_of, put_away
from bert_training.worker.timing import Timing
from bert_training.worker.trainer import run_all
from bert_training.worker.trainer_lock import hold_trainer_lock
from bert_training.worker.trainer_orders import RELEASE, OrderBox

JOB, RESULT, PROOF, PREDICTIONS = "job.json", "result.json", "proof.json", "predictions.parquet"


class LocalReporter(ConsoleReporter):
    """Prints the log, and keeps the predictions: nobody else asks for them here."""

    def __init__(self, folder: Path, attempt: int, orders: OrderBox) -> None:
        super().__init__(folder, attempt, orders, timing=Timing())
        self.answers: list[Predictions] = []

    def predictions(self, predictions: Predictions) -> None:
        """Keep what one source answered."""
        self.answers.append(predictions)


def train_here(options: LocalOptions) -> LocalExit:
    """Check, divide, train and prove; returns the exit code. Raises LocalRefused."""
    folder = options.output
    (folder / "data").mkdir(parents=True, exist_ok=True)
    try:
        lock = hold_trainer_lock(folder)
    except Timeout:
        raise LocalRefused(f"Another training works in {folder}: wait for it, or give another --output.") from None
    with lock:
        data = take_spreadsheet(options, folder / "data")
        job = _take_up(folder, _describe_job(options, data))
        if read_json(folder / RESULT) is None:
            code = _train(folder, options, job)
            if code:
                return code
        return _show(folder)


def _describe_job(options: LocalOptions, data: LocalData) -> dict[str, Any]:
    """Return what a supervisor writes for its trainer; the run has no number."""
    trained_on = {
        "task": options.spec.name,
        "hyperparameters": options.settings.model_dump(),
        "base_model": options.base_model,
        "base_model_revision": options.revision,
        "split_digest": data.split_digest,
        "table_sha256": data.table_sha256,
    }
    return trained_on | {
        "identity": hashlib.sha256(json.dumps(trained_on, sort_keys=True).encode()).hexdigest(),
        "run_id": 0,
        "initial_fingerprint": "",
        "initial_weights": "",
        "wants_predictions": True,
        "dataset": {
            "sha256": data.dataset_sha256,
            "table_sha256": data.table_sha256,
            "rows": sum(data.rows.values()),
        },
        "table": str(data.table),
        "manifest": str(data.manifest),
        "models_dir": str(options.output),
        "base_models_dir": str(options.base_models_dir.absolute()) if options.base_models_dir else "",
        "device": options.device,
        "processes": options.processes,
        "offline": options.offline,
    }


def _take_up(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Complete the job by where it goes on, and note it in the folder; refuses a folder that holds another training."""
    former = read_json(folder / JOB)
    if former is not None and former.get("identity") != job["identity"]:
        changed = sorted(name for name in ("task", "base_model", "table_sha256") if former.get(name) != job[name])
        raise LocalRefused(
            f"{folder} holds another training (changed: {', '.join(changed) or 'settings or division'}): give another "
            "--output, or delete the folder."
        )

    def tell(message: str) -> None:
        sys.stdout.write(f"WARNING - {message}\n")

    found = newest_checkpoint(checkpoints_of(folder), job["identity"], on_skipped=tell)
    job |= {"attempt": 1 + int((former or {}).get("attempt", 0)), "resume_step": found.step if found else 0}
    write_json(folder / JOB, job)
    return job


def _train(folder: Path, options: LocalOptions, job: dict[str, Any]) -> LocalExit:
    """Train to the end, or until somebody stops it; returns the exit code."""
    reporter = LocalReporter(folder, job["attempt"], _orders_of_a_person())
    try:
        outcome = run_all(job, folder, reporter)
    finally:
        reporter.close()
    if outcome["outcome"] == Outcome.RELEASED:
        sys.stdout.write(f"Stopped after step {reporter.step:,}. The same command goes on from there.\n")
        return LocalExit.STOPPED
    if outcome["outcome"] != Outcome.COMPLETED:
        sys.stderr.write(f"{outcome.get('code', outcome['outcome'])}: {outcome.get('message', '')}\n")
        return LocalExit.FAILED
    result = outcome["result"]
    if reporter.answers:
        write_predictions(reporter.answers, folder / PREDICTIONS)
        proof = _prove(options, result, reporter.answers, judged=job["dataset"]["rows"])
        write_json(folder / PROOF, proof)
    write_json(folder / RESULT, result, durable=True)  # the last: without it the training is not complete
    put_away(folder, is_completed=True)
    return LocalExit.COMPLETED


def _prove(options: LocalOptions, result: dict[str, Any], answers: list[Predictions], *, judged: int) -> Proof:
    """Compute the proof as the portal does."""
    spec, settings = options.spec, options.settings
    return prove(
        answers,
        judgement=spec.judgement,
        names=[entry["name"] for entry in result["classes"]],
        metric=spec.deciding_metric(settings.model_dump()).name,
        seed=settings.seed,
        calibration=result.get("calibration"),
        judged=judged,
    )


def _show(folder: Path) -> LocalExit:
    proof, result = read_json(folder / PROOF), read_json(folder / RESULT) or {}
    text = proof_text(cast(Proof, proof)) if proof else "There is no proof: the trainer told no predictions."
    sys.stdout.write(f"\n{text}\n\nModel: {folder / 'final'}, fingerprint {result.get('model_fingerprint', '')}\n")
    sys.stdout.write(f"Predictions: {folder / PREDICTIONS}, digest {result.get('prediction_digest', '')}\n")
    return LocalExit.COMPLETED


def _orders_of_a_person() -> OrderBox:
    """Obey Ctrl-C: the first lets the training save its state and end, the second ends it at once."""
    orders = OrderBox()

    def stop() -> None:
        if orders.current == RELEASE:
            os._exit(LocalExit.STOPPED)
        orders.put(RELEASE)
        os.write(2, b"\nStopping: the state is saved. Ctrl-C again ends at once.\n")  # no lock: we are in a handler

    on_stop_signals(stop)
    return orders
