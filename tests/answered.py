"""Runs that have answered: completed, with a file of predictions in the store, without a worker to make them."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from django.utils import timezone

from bert_training.contract.enums import JobStatus, PredictionSource, ProofStatus, Split
from bert_training.data.digest import file_digest
from bert_training.data.predicting.prediction_files import write_predictions
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.models import Run, RunProof
from bert_training.services.proving.proofs import FOLDER
from bert_training.services.stored_files import put_file, read_table
from tests.proofs import make_proof

Span = tuple[str, int, int]


def answer(run: Run, predictions: Sequence[Predictions], names: Sequence[str], **figures: float) -> Run:
    """Complete a run with these answers. figures: of its result."""
    facts = keep(predictions)
    content = make_proof(names=tuple(names))
    RunProof.objects.update_or_create(run=run, defaults={"status": ProofStatus.READY, "content": content, **facts})
    blank = {"precision": None, "recall": None, "f1": None, "support": 0}
    run.result = {"metrics": figures, "classes": [{"name": name, **blank} for name in names]}
    run.status, run.finished_at = JobStatus.COMPLETED, timezone.now()
    run.save(update_fields=["result", "status", "finished_at"])
    return run


def keep(predictions: Sequence[Predictions]) -> dict[str, Any]:
    """Put a file of predictions in the store; returns what a proof notes of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        write_predictions(predictions, path)
        key, sha256, size = f"{FOLDER}/{uuid4()}.parquet", file_digest(path), path.stat().st_size
        put_file(key, path)
    return {"key": key, "sha256": sha256, "bytes": size, "rows": sum(len(part.rows) for part in predictions)}


def rows_of(run: Run, count: int | None = None) -> list[int]:
    """Return the numbers of the first rows of a run's table."""
    return list(read_table(run.dataset, ["row"])["row"])[:count]


def labels(
    rows: Sequence[int],
    gold: Sequence[int],
    predicted: Sequence[int],
    certainty: Sequence[float] | float = 0.8,
    *,
    classes: int = 3,
    split: Split = Split.TEST,
) -> Predictions:
    """Answers with one label a row; what is left of the probability is spread over the others."""
    sure = np.broadcast_to(np.asarray(certainty, dtype=np.float64), len(rows))
    stated = np.repeat(((1 - sure) / (classes - 1))[:, None], classes, axis=1)
    stated[np.arange(len(rows)), list(predicted)] = sure
    numbers = np.asarray(rows, dtype=np.int64)
    answers = LabelAnswers(np.asarray(gold), np.asarray(predicted), stated.astype(np.float16))
    return Predictions(PredictionSource.NETWORK, split, numbers, numbers, answers)


def entities(rows: Sequence[int], gold: Sequence[list[Span]], found: Sequence[list[Any]]) -> Predictions:
    """Answers with entities; found ones have a score behind their place."""
    numbers, zero = np.asarray(rows, dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    answers = EntityAnswers(gold, found, zero + 6, zero + 5, zero, zero)
    return Predictions(PredictionSource.NETWORK, Split.TEST, numbers, numbers, answers)
