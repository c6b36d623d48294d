"""What of two runs must be read from files to be compared: their answers, and the rows in which their tables differ.

Small ones are computed while somebody waits, others in the background; either is kept with the second run's proof.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from django.core.cache import cache
from django.db import transaction
from django_q.tasks import async_task

from bert_training.contract.enums import ProofStatus
from bert_training.data.proof.agreement import Agreement, agree, network_on_test, with_names
from bert_training.data.table_changes import TableChanges, table_changes
from bert_training.models import Run, RunProof
from bert_training.services.errors import DatasetGone, StorageAway
from bert_training.services.proving.predictions import label_names, predictions_of
from bert_training.services.stored_files import read_table
from bert_training.tasks import TASKS

logger = logging.getLogger(__name__)

COMPARE_FUNCTION = "bert_training.background.compare_runs"
KEPT = "comparisons"  # in RunProof.content: by key, the newest last
MOST_KEPT = 20
ROWS_AT_ONCE = 60_000  # predictions and table rows of both runs; 10,000 shared test rows of 50 classes: 0.2 s of CPU
ASKED_SECONDS = 600  # the background is asked once


class Measures(StrEnum):
    """Whether the answers of two runs could be compared."""

    KNOWN = "known"
    PENDING = "pending"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Measured:
    """agreement: None unless the state is known.  rows: None where the tables are the same, or one is gone."""

    state: Measures
    agreement: Agreement | None = None
    rows: TableChanges | None = None


@dataclass(frozen=True)
class StoredProof:
    """What is stored of a run's proof, without its content. kept: earlier comparisons, by key."""

    status: str
    key: str
    rows: int
    kept: dict[str, Any]

    @property
    def has_answers(self) -> bool:
        """Tell whether the predictions are there to be compared."""
        return self.status == ProofStatus.READY and bool(self.key)


def stored_proofs(runs: Iterable[Run]) -> dict[int, StoredProof]:
    """Return what is stored of the proofs of some runs, by their id, in one query."""
    fields = ("pk", "status", "key", "rows", f"content__{KEPT}")
    rows = RunProof.objects.filter(pk__in=[run.pk for run in runs]).values_list(*fields)
    return {pk: StoredProof(status, key, count, kept or {}) for pk, status, key, count, kept in rows}


def measure(first: Run, second: Run, proofs: Mapping[int, StoredProof], *, is_quick: bool = False) -> Measured:
    """Return what is known of two completed runs, computed now if that is quick.

    is_quick: compute nothing, for lists.
    """
    found = [proofs[run.pk] for run in (first, second) if run.pk in proofs]
    if len(found) < 2 or any(proof.status == ProofStatus.FAILED for proof in found):
        return Measured(Measures.UNKNOWN)
    kept = found[1].kept.get(_key(first, second))
    if kept is not None:
        return Measured(Measures.KNOWN, **kept)
    if all(proof.status == ProofStatus.READY for proof in found) and not all(proof.has_answers for proof in found):
        return Measured(Measures.UNKNOWN)  # dropped with their dataset
    if is_quick or not all(proof.has_answers for proof in found):
        return Measured(Measures.PENDING)
    if sum(proof.rows for proof in found) + first.dataset.rows + second.dataset.rows > ROWS_AT_ONCE:
        return _ask_background(first, second)
    try:
        return measure_now(first, second)
    except DatasetGone:
        return Measured(Measures.UNKNOWN)
    except StorageAway:
        return Measured(Measures.PENDING)


def measure_now(first: Run, second: Run) -> Measured:
    """Compute and keep what measure() could not; raises ServiceError where the files are gone, StorageAway."""
    content: dict[str, Any] = {"agreement": _agreement(first, second), "rows": _changed_rows(first, second)}
    if content["agreement"] is None:
        return Measured(Measures.UNKNOWN)
    _keep(first, second, content)
    return Measured(Measures.KNOWN, **content)


def compare_stored_runs(first_pk: int, second_pk: int) -> None:
    """Compute in the background what would take somebody who waits too long."""
    runs = Run.objects.select_related("dataset").in_bulk([first_pk, second_pk])
    if len(runs) == 2:
        measure_now(runs[first_pk], runs[second_pk])
        logger.info("runs compared", extra={"first": first_pk, "second": second_pk})


def _ask_background(first: Run, second: Run) -> Measured:
    if cache.add(f"comparing:{first.pk}:{second.pk}", "asked", ASKED_SECONDS):
        async_task(COMPARE_FUNCTION, first.pk, second.pk)
    return Measured(Measures.PENDING)


def _agreement(first: Run, second: Run) -> Agreement | None:
    """Compare what the networks answered for the test rows; None where one has answered for none."""
    spec = TASKS[first.task]
    parts = network_on_test(predictions_of(first)), network_on_test(predictions_of(second))
    if parts[0] is None or parts[1] is None:
        return None
    names, others = label_names(first), label_names(second)
    known = [*names, *(name for name in others if name not in names)]
    return agree(
        with_names(parts[0], names, known),
        with_names(parts[1], others, known),
        judgement=spec.judgement,
        names=known,
        metric=spec.deciding_metric(first.hyperparameters).name,
        seed=int(first.hyperparameters.get("seed", 0)),
    )


def _changed_rows(first: Run, second: Run) -> TableChanges | None:
    """Say in which rows the tables differ; None where they do not, or one is no longer stored."""
    if first.dataset.table_sha256 == second.dataset.table_sha256:
        return None
    try:
        return table_changes(read_table(first.dataset), read_table(second.dataset))
    except DatasetGone:
        return None


def _key(first: Run, second: Run) -> str:
    """Name a comparison by all that it is computed from."""
    facts = [[run.pk, (run.result or {}).get("prediction_digest"), run.dataset.table_sha256] for run in (first, second)]
    metric = TASKS[first.task].deciding_metric(first.hyperparameters).name
    return hashlib.sha256(json.dumps([facts, metric]).encode()).hexdigest()[:16]


@transaction.atomic
def _keep(first: Run, second: Run, content: dict[str, Any]) -> None:
    proof = RunProof.objects.select_for_update().filter(run=second, status=ProofStatus.READY).first()
    if proof is None:
        return
    kept = cast(dict[str, Any], proof.content.get(KEPT, {}))
    proof.content[KEPT] = dict([*kept.items(), (_key(first, second), content)][-MOST_KEPT:])
    proof.save(update_fields=["content"])
