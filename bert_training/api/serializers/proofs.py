"""What the API shows of a run's proof."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.contract.enums import ProofStatus
from bert_training.data.proof.shape import Proof
from bert_training.models import RunProof
from bert_training.models.choices import proof_status_choices
from bert_training.services.proof_summary import proof_summary
from bert_training.services.reproduction_measures import KEPT


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a verdict is as it is."""

    code = serializers.CharField()
    text = serializers.CharField()


class VerdictSerializer(serializers.Serializer[Any]):
    """Whether the network may be used, in one sentence, with its reasons."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer
    sentence = serializers.CharField()
    meaning = serializers.CharField()
    reasons = ReasonSerializer(many=True)


class GradeSerializer(serializers.Serializer[Any]):
    """The graded figure with its interval, and its grade; `code` is null where none can be given."""

    metric = serializers.CharField()
    metric_label = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # a field of the answer


class AlertSerializer(serializers.Serializer[Any]):
    """Something in the result that a person should look at, and what to do."""

    code = serializers.CharField()
    severity = serializers.CharField()
    sentence = serializers.CharField()
    advice = serializers.CharField()


class SummarySerializer(serializers.Serializer[Any]):
    """What a proof comes to, in the caller's language."""

    verdict = VerdictSerializer()
    grade = GradeSerializer()
    gain_sentence = serializers.CharField(allow_blank=True)
    alerts = AlertSerializer(many=True)


class ProofSerializer(serializers.Serializer[Any]):
    """Every figure of a run with its interval, baseline and gain, and what it comes to; null until it is `ready`.

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
    def get_summary(self, stored: RunProof) -> Any:
        """Return verdict, grade and alerts."""
        found = proof_summary(stored.run)
        return SummarySerializer(found).data if found else None
