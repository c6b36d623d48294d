"""What a run's proof comes to: verdict, grade and alerts, for pages, API and admin. Read whenever it is shown.

So a scale that staff change grades older runs anew; nothing of this is stored.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Avg, FloatField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from bert_training.contract.enums import ProofStatus, Split
from bert_training.data.overfitting import Losses
from bert_training.data.proof.resampling import REPLICATES
from bert_training.data.proof.shape import PROOF_VERSION, Proof
from bert_training.models import Run, RunProof
from bert_training.services.divisions import split_facts
from bert_training.services.doubting.corrections import CORRECTED
from bert_training.services.picturing.curve_points import standing_points
from bert_training.services.proving.alert_words import ShownAlert, shown_alert
from bert_training.services.proving.grades import Graded, graded, load_scales
from bert_training.services.proving.proof_alerts import Code, alerts
from bert_training.services.proving.verdict_words import (
    GRADE_LABELS,
    VERDICT_LABELS,
    VERDICT_MEANING,
    gain_text,
    metric_label,
    reason_text,
    verdict_sentence,
)
from bert_training.services.proving.verdicts import Case, Finding, verdict
from bert_training.tasks import TASKS
from bert_training.tasks.spec import TaskSpec


@dataclass(frozen=True)
class Summary:
    """What a ready proof comes to, in the reader's language where it is words."""

    case: Case
    finding: Finding
    sentence: str
    gain: str
    alerts: list[ShownAlert]

    @property
    def proof(self) -> Proof:
        """The proof itself."""
        return self.case.proof

    @property
    def graded(self) -> Graded:
        """The figure by which the model is graded."""
        return self.case.graded

    def warns_of(self, code: Code) -> bool:
        """Tell whether there is such an alert."""
        return any(alert.code == code for alert in self.alerts)

    @property
    def replicates(self) -> int:
        """How many times the test rows were drawn anew for the intervals."""
        return REPLICATES

    @property
    def label(self) -> str:
        """The verdict in words."""
        return str(VERDICT_LABELS[self.finding.verdict])

    @property
    def meaning(self) -> str:
        """What somebody should do who has the verdict."""
        return _(VERDICT_MEANING[self.finding.verdict])

    @property
    def grade_label(self) -> str:
        """The grade in words; empty where there is none."""
        return str(GRADE_LABELS[self.graded.grade]) if self.graded.grade else ""


def usable(row: RunProof | None) -> Proof | None:
    """Return what a row holds, unless it is not ready or was written by another version of the program."""
    if row is None or row.status != ProofStatus.READY or row.content.get("version") != PROOF_VERSION:
        return None
    proof: Proof = row.content  # written by data.proof.prove alone
    return proof


def summarize(run: Run, proof: Proof, *, split: Mapping[str, Any]) -> Summary:
    """Judge a run of a known task by its proof. split: the facts of its division. Three queries."""
    spec = TASKS[run.task]
    case = Case(proof, graded(proof, load_scales(), task_metric=spec.best_metric), split)
    finding = verdict(case)
    return Summary(
        case=case,
        finding=finding,
        sentence=verdict_sentence(case, finding, spec),
        gain=gain_text(case, spec),
        alerts=[shown_alert(alert, spec) for alert in alerts(case, [*losses_of(run).values()])],
    )


def proof_summary(stored: RunProof) -> dict[str, Any] | None:
    """Return verdict, grade and alerts as the API gives them; None where there is no proof. Costs four queries."""
    run, proof = stored.run, usable(stored)
    if proof is None or run.task not in TASKS:
        return None
    return as_answer(summarize(run, proof, split=split_facts(run)), TASKS[run.task])


def as_answer(summary: Summary, spec: TaskSpec) -> dict[str, Any]:
    """Return a summary as JSON values: codes for programs, sentences for people."""
    graded = summary.graded
    return {
        "verdict": {
            "code": summary.finding.verdict.value,
            "title": summary.label,
            "sentence": summary.sentence,
            "meaning": summary.meaning,
            "reasons": [
                {"code": why.value, "text": reason_text(why, summary.case, spec)}
                for why in (*summary.finding.reasons, *summary.finding.caveats)
            ],
        },
        "grade": {
            "metric": graded.metric,
            "metric_label": metric_label(spec, graded.metric),
            **graded.figure,
            "code": graded.grade.value if graded.grade else None,
            "title": summary.grade_label,
        },
        "gain_sentence": summary.gain,
        "corrected_rows": {split.value: summary.case.split.get(CORRECTED, {}).get(split, 0) for split in Split},
        "alerts": [asdict(alert) for alert in summary.alerts],
    }


def losses_of(run: Run) -> Mapping[int, Losses]:
    """Return the losses of each epoch that was judged: the mean of its steps, its last evaluation. Three queries."""
    points = standing_points(run)
    loss = Cast(KeyTextTransform("loss", "values"), FloatField())
    trained = points.filter(split=Split.TRAIN).order_by().values("epoch").annotate(mean=Avg(loss))
    training = dict(trained.values_list("epoch", "mean"))
    judged = points.filter(split=Split.VALIDATION).order_by("id").annotate(loss=loss)
    validation = dict(judged.values_list("epoch", "loss"))
    return {epoch: (training.get(epoch), validation[epoch]) for epoch in sorted(validation)}
