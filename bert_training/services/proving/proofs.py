"""Makes the proof of a completed run in the background: its predictions become one file, the file becomes figures.

A run is of use without a proof: whatever goes wrong here ends as `failed`, never as a proof that is waited for. Each
step ends with one commit, so that after a crash it is done again or was done.
"""

import json
import logging
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_q.tasks import async_task, schedule

from bert_training.contract.enums import JobStatus, ProofStatus
from bert_training.data.checks import DatasetRefused
from bert_training.data.digest import file_digest
from bert_training.data.proof.shape import Proof
from bert_training.data.sandbox import SandboxFailed
from bert_training.live.publish import ring
from bert_training.models import Prediction, Run, RunProof
from bert_training.services.divisions import division_of
from bert_training.services.errors import DatasetGone
from bert_training.services.notifying.occurrences import note_run_ended
from bert_training.services.proving.listed_results import note_proof
from bert_training.services.stored_files import drop_files, put_file, stored_copy
from bert_training.services.transactions import hold_dataset
from bert_training.tasks import TASKS
from bert_training.tasks.proving import Packed, Question, pack_in_sandbox, prove_in_sandbox

logger = logging.getLogger(__name__)

PROOF_FUNCTION = "bert_training.background.make_proof"
FOLDER = "proofs"  # in the store

# django-q2 starts a task again for ever when its process dies in it (its issue 327).
PROOF_ATTEMPTS = 3
AWAY_SECONDS = 60
RECORDS_AT_ONCE = 2000


class PredictionsDiffer(Exception):
    """What arrived is not what the worker has computed the digest of."""


def start_proof(run_id: int) -> None:
    """Have the proof made, or made again from its file; to be called in the transaction that makes it needed."""
    fresh = {"status": ProofStatus.PENDING.value, "attempts": 0, "finished_at": None}
    RunProof.objects.update_or_create(run_id=run_id, defaults=fresh)
    async_task(PROOF_FUNCTION, run_id)


def make_proof(run_id: int) -> None:
    """Make the proof of a run; does nothing when that is settled already. Raises StorageAway, StorageFull."""
    pending = _pending(run_id)
    pending.update(attempts=F("attempts") + 1)
    proof = pending.select_related("run__dataset", "run__job").first()
    if proof is None:
        return
    if proof.attempts > PROOF_ATTEMPTS:
        logger.error("proof given up", extra={"run": run_id})
        fail_proof(run_id)
        return
    try:
        if not proof.key:
            _store_predictions(proof)
        content = _prove(proof)
    except (PredictionsDiffer, DatasetGone, DatasetRefused, SandboxFailed) as error:
        logger.exception("proof not made", extra={"run": run_id, "error": type(error).__name__})
        fail_proof(run_id)
        return
    with transaction.atomic():
        if _settle(run_id, ProofStatus.READY, content=content):
            note_proof(proof.run, content)
    logger.info("proof made", extra={"run": run_id})


def make_proof_later(run_id: int) -> None:
    """Try again in a while: the store was away or full, which says nothing about the run and is no attempt."""
    _pending(run_id).update(attempts=F("attempts") - 1)
    schedule(PROOF_FUNCTION, run_id, next_run=timezone.now() + timedelta(seconds=AWAY_SECONDS))
    logger.warning("proof waits for the store", extra={"run": run_id})


def fail_proof(run_id: int) -> None:
    """Note that the proof could not be made."""
    _settle(run_id, ProofStatus.FAILED)


def drop_predictions(runs: QuerySet[Run]) -> list[str]:
    """Forget the predictions of these runs, in a transaction that changes them; what was computed stays.

    Returns the keys of their files, which go after the commit.
    """
    proofs = RunProof.objects.filter(run__in=runs)
    keys = [key for key in proofs.select_for_update().values_list("key", flat=True) if key]
    waiting = proofs.filter(status=ProofStatus.PENDING)
    for run_id in waiting.values_list("pk", flat=True):
        note_run_ended(run_id, JobStatus.COMPLETED)
    waiting.update(status=ProofStatus.FAILED, finished_at=timezone.now())
    proofs.update(key="", sha256="", bytes=0)
    Prediction.objects.filter(run__in=runs).delete()
    return keys


def _pending(run_id: int) -> QuerySet[RunProof]:
    alive = RunProof.objects.filter(run__dataset__deleted_at__isnull=True)
    return alive.filter(pk=run_id, status=ProofStatus.PENDING)


def _settle(run_id: int, status: ProofStatus, **found: object) -> bool:
    """End the wait for a proof; tells whether it was waited for."""
    with transaction.atomic():
        is_settled = bool(_pending(run_id).update(status=status.value, finished_at=timezone.now(), **found))
        if is_settled:
            note_run_ended(run_id, JobStatus.COMPLETED)
            transaction.on_commit(lambda: ring(run_id))
    return is_settled


def _store_predictions(proof: RunProof) -> None:
    """Turn the staged records into the file: file first, row second, and with the row the records go."""
    with tempfile.TemporaryDirectory(prefix="bert-proof-") as folder:
        records, file = Path(folder) / "records.jsonl", Path(folder) / "predictions.parquet"
        _write_records(proof.run, records)
        packed = pack_in_sandbox(records, file)
        _require_what_was_sent(proof.run, packed)
        key = f"{FOLDER}/{uuid4()}.parquet"
        put_file(key, file)
        facts = {"key": key, "sha256": file_digest(file), "bytes": file.stat().st_size, "rows": packed["rows"]}
    with transaction.atomic():
        hold_dataset(proof.run.dataset_id)
        is_stored = _pending(proof.pk).filter(key="").update(**facts)
        if is_stored:
            Prediction.objects.filter(run=proof.pk).delete()
    if not is_stored:
        drop_files([key])
    proof.refresh_from_db()


def _write_records(run: Run, path: Path) -> None:
    """Write the records of the attempt that completed, as they lie in the table: never all of them in memory."""
    staged = Prediction.objects.filter(run=run, attempt__number=run.job.attempt).order_by("id")
    with path.open("w", encoding="utf-8") as file:
        for content in staged.values_list("content", flat=True).iterator(chunk_size=RECORDS_AT_ONCE):
            file.write(json.dumps(content) + "\n")


def _require_what_was_sent(run: Run, packed: Packed) -> None:
    """Raise PredictionsDiffer unless these are the predictions that the worker has computed its digest of."""
    stated = (run.result or {}).get("prediction_digest")
    if packed["digest"] != stated or not packed["is_unique"]:
        raise PredictionsDiffer(f"run {run.pk}: digest {packed['digest'][:12]} of {packed['rows']} rows, not {stated}")


def _prove(proof: RunProof) -> Proof:
    run = proof.run
    result = run.result or {}
    question: Question = {
        "task": run.task,
        "names": [each["name"] for each in result["classes"]],
        "metric": TASKS[run.task].deciding_metric(run.hyperparameters).name,
        "seed": run.hyperparameters["seed"],
        "calibration": result.get("calibration"),
        "judged": sum(division_of(run).rows.values()),
    }
    with stored_copy(proof.key, proof.sha256) as file:
        return prove_in_sandbox(file, question)
