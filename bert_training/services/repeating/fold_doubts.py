"""Looks for label errors with the networks of a cross-validation, once all its folds have their proofs.

What is found takes the place of what the linear baseline doubted; `source` in the proof says which of them it was.
"""

import logging
from contextlib import ExitStack
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task, schedule

from bert_training.contract.enums import ProofStatus, RepeatKind
from bert_training.data.checks import DatasetRefused
from bert_training.data.proof.shape import LabelErrors
from bert_training.data.sandbox import SandboxFailed
from bert_training.live.publish import ring
from bert_training.models import Run, RunProof, SplitManifest
from bert_training.services.errors import DatasetGone
from bert_training.services.stored_files import stored_copy
from bert_training.tasks.doubting import doubt_in_sandbox

logger = logging.getLogger(__name__)

DOUBTS_FUNCTION = "bert_training.background.find_fold_doubts"
AWAY_SECONDS = 60


def start_fold_doubts(run_id: int) -> None:
    """Have label errors looked for where the proof of this run was the last that its cross-validation waited for."""
    run = Run.objects.filter(pk=run_id).only("repeat_of", "repeat_kind").first()
    if run is None or run.repeat_kind == RepeatKind.SEED:
        return
    parent = run.repeat_of_id or run.pk
    if _proofs_of_folds(parent):
        async_task(DOUBTS_FUNCTION, parent)


def find_fold_doubts(run_id: int) -> None:
    """Look for label errors in a cross-validated run and note them in its proof. Raises StorageAway."""
    own = RunProof.objects.select_related("run").filter(pk=run_id, status=ProofStatus.READY).exclude(key="").first()
    folds = _proofs_of_folds(run_id)
    if own is None or not folds:
        return
    names = [each["name"] for each in (own.run.result or {}).get("classes", [])]
    try:
        with ExitStack() as stack:
            paths = [stack.enter_context(stored_copy(proof.key, proof.sha256)) for proof in (own, *folds)]
            doubts = doubt_in_sandbox(paths[0], paths[1:], names)
    except (DatasetGone, DatasetRefused, SandboxFailed) as error:
        logger.exception("no label errors from folds", extra={"run": run_id, "error": type(error).__name__})
        return
    _note(run_id, doubts)


def find_fold_doubts_later(run_id: int) -> None:
    """Try again in a while: the store was away."""
    schedule(DOUBTS_FUNCTION, run_id, next_run=timezone.now() + timedelta(seconds=AWAY_SECONDS))


def _proofs_of_folds(run_id: int) -> list[RunProof]:
    """Return the proofs of a run's folds, without what was computed; none while one is missing, the run's own too."""
    ready = RunProof.objects.filter(status=ProofStatus.READY).exclude(key="").defer("content")
    facts = SplitManifest.objects.filter(run__repeat_of=run_id, run__repeat_kind=RepeatKind.FOLD)
    wanted = next((each["folds"] for each in facts.values_list("facts", flat=True)[:1]), 0)
    folds = list(ready.filter(run__repeat_of=run_id, run__repeat_kind=RepeatKind.FOLD).order_by("pk"))
    return folds if len(folds) == wanted and ready.filter(pk=run_id).exists() else []


@transaction.atomic
def _note(run_id: int, doubts: LabelErrors) -> None:
    proof = RunProof.objects.select_for_update().filter(pk=run_id, status=ProofStatus.READY).first()
    if proof is None:  # it is being made again, and will start this again
        return
    proof.content["label_errors"] = doubts
    proof.save(update_fields=["content"])
    transaction.on_commit(lambda: ring(run_id))
    logger.info("label errors found by folds", extra={"run": run_id, "judged": doubts["judged"]})
