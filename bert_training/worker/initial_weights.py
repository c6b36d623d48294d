"""Finds the model that a job begins from among those that this worker has trained, and verifies every byte of it.

By its fingerprint, not by a number: the weights are those, whatever run or portal they come from.
"""

from pathlib import Path

from bert_training.contract.messages import ClaimedJob
from bert_training.data.digest import file_digest
from bert_training.ml.keeping.checkpoints import WEIGHTS
from bert_training.worker.files import read_json
from bert_training.worker.model_store import FINAL


class InitialWeightsMissing(Exception):
    """The model to begin from is not here, or not as it was; the message says which and where."""


def find_initial_weights(models_dir: Path, job: ClaimedJob) -> Path:
    """Return the folder of the model with the job's fingerprint; raises InitialWeightsMissing. A second a gigabyte."""
    wanted, changed = job.initial_fingerprint, None
    for facts in sorted(models_dir.glob(f"jobs/*/{FINAL}/run.json")):
        if (read_json(facts) or {}).get("model_fingerprint") != wanted:
            continue
        weights = facts.with_name(WEIGHTS)
        if weights.is_file() and file_digest(weights) == wanted:
            return facts.parent
        changed = facts.parent
    origin = f" of run {job.initial_run_id}" if job.initial_run_id else ""
    if changed is not None:
        raise InitialWeightsMissing(f"The model{origin} in {changed} was changed: it has another fingerprint now.")
    raise InitialWeightsMissing(f"No model in {models_dir} has the fingerprint {wanted[:12]}... of the model{origin}.")
