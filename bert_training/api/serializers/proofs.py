"""What the API shows of a run's proof."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.contract.enums import ProofStatus
from bert_training.data.proof.shape import Proof
from bert_training.models import RunProof
from bert_training.models.choices import proof_status_choices
from bert_training.services.proving.grades import Grade
from bert_training.services.proving.proof_alerts import Code, Severity
from bert_training.services.proving.proof_summary import proof_summary
from bert_training.services.proving.verdicts import Verdict, Why
from bert_training.services.reproducing.reproduction_measures import KEPT


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a verdict is not better."""

    code = serializers.ChoiceField(choices=[why.value for why in Why])
    text = serializers.CharField()


class VerdictSerializer(serializers.Serializer[Any]):
    """Whether the model may be used. sentence: with its reasons.  meaning: what to do."""

    code = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    title = serializers.CharField()
    sentence = serializers.CharField()
    meaning = serializers.CharField()
    reasons = ReasonSerializer(many=True)


class GradeSerializer(serializers.Serializer[Any]):
    """The figure by which a model is graded, its 95 % interval, and the word for it; null without a scale."""

    metric = serializers.CharField()
    metric_label = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    code = serializers.ChoiceField(choices=[grade.value for grade in Grade], allow_null=True)
    title = serializers.CharField()


class AlertSerializer(serializers.Serializer[Any]):
    """Something to look at, with advice."""

    code = serializers.ChoiceField(choices=[code.value for code in Code])
    severity = serializers.ChoiceField(choices=[severity.value for severity in Severity])
    severity_label = serializers.CharField()
    sentence = serializers.CharField()
    advice = serializers.CharField()


class SummarySerializer(serializers.Serializer[Any]):
    """What a proof comes to, by the scales of grades as they are now."""

    verdict = VerdictSerializer()
    grade = GradeSerializer()
    gain_sentence = serializers.CharField()
    corrected_rows = serializers.DictField(
        child=serializers.IntegerField(), help_text="By split: rows with another answer than in the dataset continued."
    )
    alerts = AlertSerializer(many=True)


class ProofSerializer(serializers.Serializer[Any]):
    """Every figure of a run with its interval, baseline and gain. `proof`, `summary`: null until the status is `ready`.

    rows: predictions of all sources, to be had at runs/{id}/predictions while there are any.
    """

    status = serializers.ChoiceField(choices=proof_status_choices())
    rows = serializers.IntegerField()
    created_at = UtcField()
    finished_at = UtcField(allow_null=True)
    proof = serializers.SerializerMethodField()
    summary = serializers.SerializerMethodField()

    def get_proof(self, stored: RunProof) -> Proof | None:
        """Return what data.proof.prove found."""
        found: Any = {name: value for name, value in stored.content.items() if name != KEPT}
        return (found or None) if stored.status == ProofStatus.READY else None

    @extend_schema_field(SummarySerializer(allow_null=True))
    def get_summary(self, stored: RunProof) -> dict[str, Any] | None:
        """Return verdict, grade and alerts."""
        return proof_summary(stored)
