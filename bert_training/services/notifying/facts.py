"""What a notification says of a run, as codes and figures: read once, when it is announced, and put into words later.

Nothing here is a text, a name or a message: what is stored of an occurrence may be sent anywhere.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q

from bert_training.contract.enums import TERMINAL_STATUSES, JobStatus, NoticeKind
from bert_training.models import Occurrence, Run, RunProof
from bert_training.services.divisions import split_facts
from bert_training.services.proving.proof_summary import summarize, usable
from bert_training.services.proving.verdicts import Verdict
from bert_training.tasks import TASKS

Facts = dict[str, Any]

RUN_ENDED: Sequence[str] = (NoticeKind.RUN_COMPLETED, NoticeKind.RUN_DECISION)


def completed_facts(run: Run) -> Facts:
    """Return verdict and headline of a completed run with its interval; without a proof the worker's own figure."""
    proof = usable(RunProof.objects.filter(run=run).first())
    spec = TASKS.get(run.task)
    if spec is None:
        return {}
    if proof is None:
        name = spec.deciding_metric(run.hyperparameters).name
        value = (run.result or {}).get("metrics", {}).get(name)
        return {"metric": name, "value": value}
    summary = summarize(run, proof, split=split_facts(run))
    return {
        "verdict": summary.finding.verdict.value,
        "grade": summary.graded.grade.value if summary.graded.grade else None,
        "metric": summary.graded.metric,
        **summary.graded.figure,
    }


def failed_facts(run: Run) -> Facts:
    """Return why a run ended badly, as a code."""
    return {"reason": run.error_code}


def repeats_facts(run: Run) -> Facts:
    """Return how the repeats of a run have ended."""
    ended = Run.objects.filter(repeat_of=run, status__in=TERMINAL_STATUSES)
    return ended.aggregate(repeats=Count("pk"), completed=Count("pk", filter=Q(status=JobStatus.COMPLETED)))


_FACTS = {
    NoticeKind.RUN_COMPLETED: completed_facts,
    NoticeKind.RUN_FAILED: failed_facts,
    NoticeKind.REPEATS_ENDED: repeats_facts,
}


def find_facts(occurrence: Occurrence) -> tuple[NoticeKind, Facts]:
    """Return what an occurrence is, now that its figures are known, and the facts that are told of it."""
    kind = NoticeKind(occurrence.kind)
    read = _FACTS.get(kind)
    if occurrence.run is None or read is None:
        return kind, {}
    facts = read(occurrence.run)
    needs_decision = kind is NoticeKind.RUN_COMPLETED and facts.get("verdict") not in (None, Verdict.USE.value)
    return NoticeKind.RUN_DECISION if needs_decision else kind, facts
