"""What the API shows of a run's proof."""

from typing import Any

from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.contract.enums import ProofStatus
from bert_training.data.proof.shape import Proof
from bert_training.models import RunProof
from bert_training.models.choices import proof_status_choices


class ProofSerializer(serializers.Serializer[Any]):
    """Every figure of a run with its interval, baseline and gain. `proof` is null until the status is `ready`.

    rows: predictions of all sources, to be had at runs/{id}/predictions while there are any.
    """

    status = serializers.ChoiceField(choices=proof_status_choices())
    rows = serializers.IntegerField()
    created_at = UtcField()
    finished_at = UtcField(allow_null=True)
    proof = serializers.SerializerMethodField()

    def get_proof(self, stored: RunProof) -> Proof | None:
        """Return what data.proof.prove found."""
        found: Proof | None = stored.content or None
        return found if stored.status == ProofStatus.READY else None
