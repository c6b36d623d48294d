"""Whether a run gave the result of another one again: a verdict by a rule, and in what the two differ.

identical: the weights have the same fingerprint and the predictions the same digest.
equivalent: the predictions differ, but on the test rows that both answered the 95 % interval of the difference on the
    deciding figure, drawn in pairs, contains 0; or all of these answers are equal. No difference is shown.
different: the interval does not contain 0.
not comparable: one has not been completed, was played or is for another task, its predictions are not known, or the
    two share fewer than LEAST_ROWS test rows; the reason says which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from bert_training import access
from bert_training.contract.enums import JobStatus, Verdict
from bert_training.data.proof.agreement import Agreement
from bert_training.data.table_changes import TableChanges
from bert_training.models import Run
from bert_training.services.reproducing.reproduction_causes import Difference, compare_facts, computes_bit_equal
from bert_training.services.reproducing.reproduction_measures import (
    Measured,
    Measures,
    StoredProof,
    measure,
    stored_proofs,
)
from bert_training.tasks import TASKS

MOST_SHOWN = 10
LEAST_ROWS = 30  # below, "no difference is shown" would only mean that nobody can tell


class Reason(StrEnum):
    """Why two runs are not comparable, or why the same facts gave another result."""

    NOT_COMPLETED = "not_completed"
    SIMULATED = "simulated"
    OTHER_TASK = "other_task"
    FIRST_GONE = "first_gone"  # deleted, or not for the eyes of who asks
    PREDICTIONS_UNKNOWN = "predictions_unknown"
    BEING_COMPARED = "being_compared"
    FEW_SHARED_ROWS = "few_shared_rows"
    NO_INTERVAL = "no_interval"
    NOT_BIT_EQUAL = "not_bit_equal"  # nothing stated differs, and the device does not repeat itself
    FACTS_UNKNOWN = "facts_unknown"  # nothing stated differs, and not everything is stated
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Comparison:
    """What comparing two runs says. reason: of `Reason`, or "".  differences: the likeliest cause first.

    unknown: facts that one does not state.  fingerprints, digests: of weights and predictions, of the first and second.
    agreement: None where the answers were not, or need not be, compared.  rows: in which rows the tables differ.
    """

    verdict: Verdict
    reason: str = ""
    differences: list[Difference] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    fingerprints: tuple[str, str] = ("", "")
    digests: tuple[str, str] = ("", "")
    agreement: Agreement | None = None
    rows: TableChanges | None = None


def compare(
    first: Run, second: Run, proofs: Mapping[int, StoredProof] | None = None, *, is_quick: bool = False
) -> Comparison:
    """Compare any two runs; what must be read from files is computed once and kept.

    proofs: of many runs, read at once by `stored_proofs`.  is_quick: compute nothing, for lists.
    """
    facts = compare_facts(first, second)
    found: dict[str, Any] = {
        "differences": facts.differences,
        "unknown": [cause.value for cause in facts.unknown],
        "fingerprints": (first.model_fingerprint, second.model_fingerprint),
        "digests": (prediction_digest_of(first), prediction_digest_of(second)),
    }
    if reason := _why_not(first, second):
        return Comparison(Verdict.NOT_COMPARABLE, reason, **found)
    if _are_same(*found["fingerprints"]) and _are_same(*found["digests"]):
        return Comparison(Verdict.IDENTICAL, **found)
    measured = measure(first, second, stored_proofs([first, second]) if proofs is None else proofs, is_quick=is_quick)
    verdict, reason = _judge(measured)
    if verdict != Verdict.NOT_COMPARABLE and not facts.differences:
        reason = _unexplained(first, second, is_known=not facts.unknown)
    return Comparison(verdict, reason, agreement=measured.agreement, rows=measured.rows, **found)


def compare_for(user: User, first: Run, second: Run) -> Comparison:
    """Compare two runs that somebody may see; of the rows nothing unless they may see the data of both."""
    comparison = compare(first, second)
    return comparison if access.may_compare_rows(user, first, second) else replace(comparison, rows=None)


def first_gone() -> Comparison:
    """Return what is said of a reproduction whose first run is gone, or not for the eyes of who asks."""
    return Comparison(Verdict.NOT_COMPARABLE, Reason.FIRST_GONE)


def reproductions_of(run: Run, visible: QuerySet[Run]) -> list[tuple[Run, Comparison]]:
    """Return the newest reproductions of a run among those that somebody may see, each with what is known already."""
    related = visible.filter(reproduced_from=run, repeat_of=None).select_related("dataset", "job")
    copies = list(related.order_by("-pk")[:MOST_SHOWN])
    proofs = stored_proofs([run, *copies]) if copies else {}
    return [(copy, compare(run, copy, proofs, is_quick=True)) for copy in copies]


def _are_same(one: str, two: str) -> bool:
    return bool(one) and one == two


def prediction_digest_of(run: Run) -> str:
    """Return the digest of all that a run's network and baselines answered; "" where nobody told."""
    return str((run.result or {}).get("prediction_digest", ""))


def _why_not(first: Run, second: Run) -> str:
    """Say what keeps two runs from being compared at all."""
    if first.task != second.task:
        return Reason.OTHER_TASK
    if first.simulate or second.simulate:
        return Reason.SIMULATED
    if first.task not in TASKS:  # one that was taken out of the program: nobody can judge its answers any more
        return Reason.PREDICTIONS_UNKNOWN
    are_done = all(run.status == JobStatus.COMPLETED and run.result for run in (first, second))
    return "" if are_done else Reason.NOT_COMPLETED


def _judge(measured: Measured) -> tuple[Verdict, str]:
    """Apply the rule of this module to what was measured."""
    agreement = measured.agreement
    if agreement is None:
        reasons = {Measures.PENDING: Reason.BEING_COMPARED, Measures.UNKNOWN: Reason.PREDICTIONS_UNKNOWN}
        return Verdict.NOT_COMPARABLE, reasons[measured.state]
    if agreement["rows"] < LEAST_ROWS:
        return Verdict.NOT_COMPARABLE, Reason.FEW_SHARED_ROWS
    if agreement["equal"] == agreement["rows"]:
        return Verdict.EQUIVALENT, ""
    low, high = agreement["low"], agreement["high"]
    if low is None or high is None:
        return Verdict.NOT_COMPARABLE, Reason.NO_INTERVAL
    return (Verdict.EQUIVALENT if low <= 0 <= high else Verdict.DIFFERENT), ""


def _unexplained(first: Run, second: Run, *, is_known: bool) -> str:
    """Say why the same facts may have given another result."""
    if not (computes_bit_equal(first) and computes_bit_equal(second)):
        return Reason.NOT_BIT_EQUAL
    return Reason.UNEXPLAINED if is_known else Reason.FACTS_UNKNOWN
