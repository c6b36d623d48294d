"""From the staged predictions of a run to its file, and from the file to its proof, in a child process with limits.

The records come from a worker: what they cost to compute with must not harm the portal.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from bert_training.data.predicting.prediction_files import read_predictions, write_predictions
from bert_training.data.predicting.prediction_records import Record, from_records
from bert_training.data.predicting.predictions import Predictions, prediction_digest
from bert_training.data.process_limits import ProcessLimits
from bert_training.data.proof.prove import prove
from bert_training.data.proof.shape import Proof
from bert_training.data.sandbox import run_in_sandbox
from bert_training.tasks import TASKS

# Both calls of one proof end before the background's own limit of 300 s for a task.
PROVING_LIMITS = ProcessLimits(cpu_seconds=120, wall_seconds=140.0)


class Packed(TypedDict):
    """What is in a file of predictions. is_unique: whether no source answered for a row twice."""

    digest: str
    rows: int
    is_unique: bool


class Question(TypedDict):
    """What a proof is about, beside the predictions; see data.proof.prove."""

    task: str
    names: list[str]
    metric: str
    seed: int
    calibration: dict[str, Any] | None
    judged: int


def pack_in_sandbox(records: Path, predictions: Path) -> Packed:
    """Write records, one JSON object a line, as one Parquet file. Raises DatasetRefused, SandboxFailed."""
    arguments = {"records": str(records.resolve()), "predictions": str(predictions.resolve())}
    packed: Packed = run_in_sandbox(f"{__name__}.pack", arguments, limits=PROVING_LIMITS)
    return packed


def prove_in_sandbox(predictions: Path, question: Question) -> Proof:
    """Compute every figure of a file of predictions. Raises DatasetRefused, SandboxFailed."""
    arguments = {"predictions": str(predictions.resolve()), "question": question}
    proof: Proof = run_in_sandbox(f"{__name__}.prove_file", arguments, limits=PROVING_LIMITS)
    return proof


def pack(records: str, predictions: str) -> Packed:
    """Run in the child: put the records together, write them."""
    found = from_records(_each(Path(records)))
    write_predictions(found, Path(predictions))
    return {
        "digest": prediction_digest(found),
        "rows": sum(len(part.rows) for part in found),
        "is_unique": all(_has_each_row_once(part) for part in found),
    }


def prove_file(predictions: str, question: Question) -> Proof:
    """Run in the child: read the file, compute."""
    return prove(
        read_predictions(Path(predictions)),
        judgement=TASKS[question["task"]].judgement,
        names=question["names"],
        metric=question["metric"],
        seed=question["seed"],
        calibration=question["calibration"],
        judged=question["judged"],
    )


def _each(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        yield from map(json.loads, file)


def _has_each_row_once(part: Predictions) -> bool:
    return len(np.unique(part.rows)) == len(part.rows)
