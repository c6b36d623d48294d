"""What lists show and sort by of a run's result: its deciding figure and the verdict, kept in columns of the run.

Written when a result or a proof is stored, and again when staff change the scales of grades. The page of a run never
reads them: it judges anew.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django_q.tasks import async_task

from bert_training.contract.enums import ProofStatus
from bert_training.data.proof.shape import Proof
from bert_training.models import Run, RunProof, SplitManifest
from bert_training.models.run import NO_RANK
from bert_training.services.proving.grades import Scales, graded, load_scales
from bert_training.services.proving.proof_summary import usable
from bert_training.services.proving.verdicts import Case, verdict
from bert_training.tasks import TASKS

logger = logging.getLogger(__name__)

JUDGE_FUNCTION = "bert_training.background.judge_runs"
PROOFS_AT_ONCE = 50  # of a hundred classes each they take 10 MB


def headline_columns(run: Run, figures: Mapping[str, float | None]) -> dict[str, Any]:
    """Return the columns that hold the figure by which a run chose its network; without it they are empty."""
    spec = TASKS.get(run.task)
    metric = spec.deciding_metric(run.hyperparameters) if spec else None
    value = figures.get(metric.name) if metric else None
    if metric is None or value is None:
        return {"headline_metric": "", "headline_value": None, "headline_rank": NO_RANK}
    rank = value if metric.higher_is_better else -value
    return {"headline_metric": metric.name, "headline_value": value, "headline_rank": rank}


def note_proof(run: Run, proof: Proof) -> None:
    """Write verdict and figure of a run that has a proof now."""
    facts = SplitManifest.objects.filter(run=run).values_list("facts", flat=True).first()
    Run.objects.filter(pk=run.pk).update(**_proven_columns(run, proof, facts or {}, load_scales()))


def judge_later() -> None:
    """Have all runs judged anew after the commit: a scale has changed."""
    transaction.on_commit(lambda: async_task(JUDGE_FUNCTION))


def judge_runs() -> int:
    """Judge every run that has a proof by the scales of now. Returns how many have another verdict or figure."""
    scales, changed = load_scales(), 0
    for proofs in _ready_proofs():
        facts = dict(SplitManifest.objects.filter(run__in=proofs).values_list("run", "facts"))
        for run, proof in proofs.items():
            columns = _proven_columns(run, proof, facts.get(run.pk, {}), scales)
            if any(getattr(run, name) != value for name, value in columns.items()):
                changed += Run.objects.filter(pk=run.pk).update(**columns)
    logger.info("runs judged anew", extra={"changed": changed})
    return changed


def _ready_proofs() -> Iterator[dict[Run, Proof]]:
    """Return the proofs by their runs, some at a time: never all in memory."""
    last = 0
    while True:
        ready = RunProof.objects.filter(pk__gt=last, status=ProofStatus.READY).order_by("pk")
        rows = list(ready.select_related("run").defer("run__result", "run__reproducibility")[:PROOFS_AT_ONCE])
        if not rows:
            return
        yield {row.run: proof for row in rows if (proof := usable(row)) is not None and row.run.task in TASKS}
        last = rows[-1].pk


def _proven_columns(run: Run, proof: Proof, facts: Mapping[str, Any], scales: Scales) -> dict[str, Any]:
    case = Case(proof, graded(proof, scales, task_metric=TASKS[run.task].best_metric), facts)
    values = {name: figure["value"] for name, figure in proof["figures"].items()}
    headline = headline_columns(run, values)
    # A loss is no figure of a proof: there the worker's own stays.
    found = headline if headline["headline_value"] is not None else {}
    return {"verdict": verdict(case).verdict.value, **found}
