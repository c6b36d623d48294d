"""Predictions that a worker could send of a run, sent and completed through the services, and their proof made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_training.contract.enums import Outcome, PredictionSource, Split
from bert_training.contract.messages import CompleteRequest, Result
from bert_training.contract.streams import PredictionBatch, PredictionRow
from bert_training.data.predicting.prediction_records import to_records
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions, prediction_digest
from bert_training.data.proof.shape import Proof
from bert_training.models import Job, Worker
from bert_training.services.jobs import complete_job
from bert_training.services.proving import proofs
from bert_training.services.proving.prediction_stream import append_predictions
from bert_training.tasks import proving
from bert_training.tasks.proving import Packed, Question

NETWORK = PredictionSource.NETWORK


@pytest.fixture
def proved_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the child processes around packing and proving (0.4 s of CPU each)."""

    def pack_here(records: Path, predictions: Path) -> Packed:
        return proving.pack(str(records), str(predictions))

    def prove_here(predictions: Path, question: Question) -> Proof:
        return proving.prove_file(str(predictions), question)

    monkeypatch.setattr(proofs, "pack_in_sandbox", pack_here)
    monkeypatch.setattr(proofs, "prove_in_sandbox", prove_here)


def label_predictions(
    rows: Sequence[int], *, classes: int, split: Split = Split.TEST, source: PredictionSource = NETWORK, seed: int = 1
) -> Predictions:
    """Answers of which about four of five are right."""
    chance = np.random.default_rng(seed)
    gold = chance.integers(0, classes, len(rows))
    predicted = np.where(chance.random(len(rows)) < 0.8, gold, chance.integers(0, classes, len(rows)))
    stated = np.full((len(rows), classes), 0.3 / (classes - 1), dtype=np.float16)
    stated[np.arange(len(rows)), predicted] = 0.7
    numbers = np.asarray(rows, dtype=np.int64)
    return Predictions(source, split, numbers, numbers, LabelAnswers(gold, predicted, stated))


def entity_predictions(rows: Sequence[int], kind: str) -> Predictions:
    """One entity a row, found in every second one."""
    numbers, words = np.asarray(rows, dtype=np.int64), np.full(len(rows), 3)
    found = [[(kind, 0, 1, 0.9)] if place % 2 else [] for place in range(len(rows))]
    zero = np.zeros(len(rows), dtype=np.int64)
    answers = EntityAnswers([[(kind, 0, 1)]] * len(rows), found, words, words, zero, zero)
    return Predictions(NETWORK, Split.TEST, numbers, numbers, answers)


def records_of(predictions: Sequence[Predictions]) -> list[dict[str, Any]]:
    """Return what travels."""
    return [record for part in predictions for record in to_records(part)]


def batch_of(records: Sequence[dict[str, Any]], first_seq: int = 1, attempt: int = 1) -> PredictionBatch:
    """Return one batch of the stream."""
    rows = [PredictionRow.model_validate(record, strict=False) for record in records]
    return PredictionBatch(attempt=attempt, first_seq=first_seq, rows=rows)


def send(worker: Worker, job: Job, predictions: Sequence[Predictions], *, attempt: int = 1) -> int:
    """Send them in batches of 500; returns how many there are."""
    records = records_of(predictions)
    for start in range(0, len(records), 500):
        append_predictions(worker, job.pk, batch_of(records[start : start + 500], start + 1, attempt))
    return len(records)


def completion(
    predictions: Sequence[Predictions],
    names: Sequence[str],
    *,
    attempt: int = 1,
    digest: str = "",
    log_seq: int = 0,
    metric_seq: int = 0,
) -> CompleteRequest:
    """Return the end report of a worker that has sent these predictions."""
    figures = {"precision": None, "recall": None, "f1": None, "support": 0}
    result = {
        "metrics": {"f1_macro": 0.8},
        "model_fingerprint": "f" * 64,
        "best_step": 1,
        "classes": [{"name": name, **figures} for name in names],
        "prediction_digest": digest or prediction_digest(predictions),
    }
    return CompleteRequest(
        attempt=attempt,
        outcome=Outcome.COMPLETED,
        log_seq=log_seq,
        metric_seq=metric_seq,
        prediction_seq=sum(len(part.rows) for part in predictions),
        result=Result.model_validate(result),
    )


def names_of(job: Job) -> list[str]:
    """Return the label names of a job's data, in the order of their ids."""
    return sorted(job.run.dataset.summary["labels"])


def complete_with(worker: Worker, job: Job, predictions: Sequence[Predictions], **report: Any) -> None:
    """Send predictions and complete the job with them."""
    send(worker, job, predictions)
    complete_job(worker, job.pk, completion(predictions, names_of(job), **report))
