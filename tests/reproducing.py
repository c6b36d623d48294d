"""Two completed runs of which one reproduces the other, each with the facts of a machine, predictions and a proof."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from bert_training.background import make_proof
from bert_training.data.digest import file_digest
from bert_training.data.parquet import read_table, write_table
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.data.table import Columns
from bert_training.models import Dataset, Job, Run, Worker
from bert_training.services.jobs import complete_job
from bert_training.services.stored_files import stored_copy
from tests.personas import claim
from tests.predicting import completion, label_predictions, names_of, send

MACHINE: dict[str, Any] = {
    "code_commit": "c0ffee",
    "environment_fingerprint": "e" * 64,
    "base_model_revision": "0.1.0",
    "split_digest": "d" * 64,
    "device": "AMD EPYC, 2 cores",
    "table_sha256": "a" * 64,
    "python": "3.11.9",
    "precision": "fp32",
    "threads": 1,
    "packages": {"torch": "2.13.0", "numpy": "2.3.0", "zipp": "3.0"},
}
ROWS = range(2, 202)  # of the answers; more than the data have, so that intervals are narrow


def answers(*, seed: int = 1, classes: int = 3) -> Predictions:
    """What a network answered for ROWS; the same seed answers the same."""
    return label_predictions(ROWS, classes=classes, seed=seed)


def with_errors(predictions: Predictions, count: int) -> Predictions:
    """Return the same answers, but for the first `count` that were right: these are wrong now."""
    found = predictions.answers
    assert isinstance(found, LabelAnswers)
    right = np.flatnonzero(found.gold == found.predicted)[:count]
    predicted = found.predicted.copy()
    predicted[right] = (predicted[right] + 1) % found.probabilities.shape[1]
    return replace(predictions, answers=replace(found, predicted=predicted))


def end(
    worker: Worker, run: Run, predictions: Sequence[Predictions], *, fingerprint: str = "f" * 64, **machine: Any
) -> Run:
    """Claim and complete a run on a machine, with its proof made. machine: what it tells otherwise than MACHINE."""
    job = Job.objects.get(pk=claim(worker).job_id)
    assert job.run_id == run.pk
    Dataset.objects.filter(pk=run.dataset_id).update(rows=len(ROWS))  # else no worker could have answered so many
    send(worker, job, predictions)
    report = completion(predictions, names_of(job))
    assert report.result is not None
    result = report.result.model_copy(update={"model_fingerprint": fingerprint})
    complete_job(worker, job.pk, report.model_copy(update={"result": result}))
    Run.objects.filter(pk=run.pk).update(reproducibility={**MACHINE, **machine})
    make_proof(run.pk)
    return Run.objects.get(pk=run.pk)


def changed_copy(dataset: Dataset, change: Callable[[Columns], object]) -> Dataset:
    """Store another upload of the same spreadsheet, in which something was changed."""
    with stored_copy(dataset.table_key, dataset.table_sha256) as path:
        table = read_table(path)
        change(table)
        write_table(table, path)
        content, digest = path.read_bytes(), file_digest(path)
    with stored_copy(dataset.original_key, dataset.sha256) as path:
        original = path.read_bytes()
    changed = Dataset.objects.get(pk=dataset.pk)
    changed.pk, changed.uuid, changed.request_digest = None, uuid4(), uuid4().hex * 2
    changed.table_sha256, changed.table_bytes, changed.rows = digest, len(content), len(table["row"])
    default_storage.save(changed.table_key, ContentFile(content))
    default_storage.save(changed.original_key, ContentFile(original))
    changed.save(force_insert=True)
    return changed


def write_cell(table: Columns, row: int, column: str, value: str) -> None:
    """Write one cell, by the number of its row."""
    table[column][table["row"].index(row)] = value
