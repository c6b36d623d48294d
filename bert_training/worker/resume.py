"""Finds where an attempt goes on: the newest checkpoint of this job that verifies. Knows no torch.

The supervisor looks, not the trainer, so that the first progress of the attempt can already name the step.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from bert_training.contract.messages import ClaimedJob
from bert_training.ml.keeping.checkpoints import drop_training_files, newest_checkpoint

_IDENTITY = ("run_id", "task", "simulate", "hyperparameters", "base_model", "base_model_revision", "split_digest")


def checkpoints_of(folder: Path) -> Path:
    """Return where the checkpoints of a job lie."""
    return folder / "checkpoints"


def job_identity(job: ClaimedJob) -> str:
    """Return a digest of what is trained on what. Another portal may give another run the same job number."""
    facts = {**job.model_dump(mode="json", include=set(_IDENTITY)), "table": job.dataset.table_sha256}
    if job.initial_fingerprint:  # else as workers write it that know no such beginning: their checkpoints go on
        facts["initial_fingerprint"] = job.initial_fingerprint
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def find_resume_step(folder: Path, job: ClaimedJob, *, on_skipped: Callable[[str], None]) -> int:
    """Return the step to go on from, 0 = the beginning; then nothing older is left that could be taken up later."""
    checkpoints = checkpoints_of(folder)
    if job.attempt > 1:
        found = newest_checkpoint(checkpoints, job_identity(job), on_skipped=on_skipped)
        if found is not None:
            return found.step
    shutil.rmtree(checkpoints, ignore_errors=True)
    return 0


def put_away(folder: Path, *, is_completed: bool) -> None:
    """After the end of the job: final/ holds the best weights of a completed one; else its weights stay, no more."""
    if is_completed:
        shutil.rmtree(checkpoints_of(folder), ignore_errors=True)
    else:
        drop_training_files(checkpoints_of(folder))
