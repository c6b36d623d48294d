"""Writes a completed run down as the example: all that its worker has sent, and the proof computed from it.

Nothing is made up and nothing is left out but where it happened: names and addresses of the machine.
"""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import cast

from django.forms.models import model_to_dict

from bert_training.contract.enums import JobStatus, ProofStatus
from bert_training.data.predicting.prediction_records import to_records
from bert_training.models import JobAttempt, Log, Metric, Run, RunProof, TokenLengths
from bert_training.services.proving.predictions import predictions_of
from bert_training.services.telemetry import iso_utc

PROOF_SECONDS = 60
RUN_FIELDS = ("base_model", "base_model_revision", "hyperparameters", "split_digest", "reproducibility", "result")
JOB_FIELDS = ("phase", "epoch", "step", "total_steps", "checkpoint_step", "log_lines", "log_bytes", "metric_names")
ATTEMPT_FIELDS = ("last_step", "checkpoint_step", "phase", "phase_seconds")
STREAMS = ("log_seq", "metric_seq", "prediction_seq")


class NothingToRecord(Exception):
    """The run is no good example: it did not complete, or has no proof."""


def record_run(run: Run, path: Path, *, folder: Path) -> None:
    """Write all of a completed run into one JSON file; in its log, paths below `folder` begin there."""
    if run.status != JobStatus.COMPLETED:
        raise NothingToRecord(f"Run {run.pk} is {run.status}.")
    attempt = JobAttempt.objects.get(job__run=run, number=run.job.attempt)
    proof = _finished_proof(run)
    recorded = {
        **model_to_dict(run, RUN_FIELDS),
        "model_fingerprint": run.model_fingerprint,
        "started_at": iso_utc(attempt.started_at),
        "phase_since": iso_utc(cast(datetime, attempt.phase_since)),
        "ended_at": iso_utc(cast(datetime, attempt.ended_at)),
        "job": model_to_dict(run.job, JOB_FIELDS),
        "attempt": {name: getattr(attempt, name) for name in (*ATTEMPT_FIELDS, *STREAMS)},
        "token_lengths": TokenLengths.objects.filter(dataset=run.dataset).values("base_model", "content").first(),
        "logs": [
            [iso_utc(log.timestamp), log.level, log.message.replace(f"{folder}/", "")]
            for log in Log.objects.filter(run=run)
        ],
        "metrics": [[point.epoch, point.step, point.split, point.values] for point in Metric.objects.filter(run=run)],
        "predictions": [record for part in predictions_of(run) for record in to_records(part)],
        "proof": proof.content,
    }
    path.write_text(json.dumps(recorded, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def _finished_proof(run: Run) -> RunProof:
    """Wait for the proof, which the background makes after the run has ended."""
    for _second in range(PROOF_SECONDS):
        proof = RunProof.objects.filter(run=run).first()
        if proof is None or proof.status != ProofStatus.PENDING:
            break
        time.sleep(1)
    if proof is None or proof.status != ProofStatus.READY:
        raise NothingToRecord(f"The proof of run {run.pk} is not ready.")
    return proof
