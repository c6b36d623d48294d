"""Two completed runs of which one reproduces the other, each with the facts of a machine, predictions and a proof."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bert_training.background import make_proof
from bert_training.data.predictions import LabelAnswers, Predictions
from bert_training.models import Dataset, Job, Run, Worker
from bert_training.services.jobs import complete_job
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
