"""Deletions, and how far they have come."""

from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.contract.enums import CopyState
from bert_training.models import Erasure, ErasureCopy


class ErasureCopySerializer(serializers.ModelSerializer[ErasureCopy]):
    """One computer that worked with what was deleted."""

    worker = serializers.CharField(source="worker_name", read_only=True)
    state = serializers.ChoiceField(choices=[state.value for state in CopyState], read_only=True)
    confirmed_at = UtcField(read_only=True, allow_null=True)
    settled_at = UtcField(read_only=True, allow_null=True)

    class Meta:
        model = ErasureCopy
        fields = ("worker", "state", "confirmed_at", "settled_at", "settled_reason")
        read_only_fields = fields


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """One deletion. Needs its copies with their workers."""

    dataset = serializers.IntegerField(source="dataset_number", read_only=True)
    runs = serializers.ListField(source="run_numbers", child=serializers.IntegerField(), read_only=True)
    owner = serializers.CharField(source="owner.username", read_only=True, allow_null=True, default=None)
    deleted_by = serializers.CharField(source="deleted_by.username", read_only=True, allow_null=True, default=None)
    deleted_at = UtcField(source="created_at", read_only=True)
    store_is_clear = serializers.SerializerMethodField()
    is_whole = serializers.BooleanField(read_only=True)
    copies = ErasureCopySerializer(many=True, read_only=True)

    class Meta:
        model = Erasure
        fields = (
            "id",
            "kind",
            "name",
            "dataset",
            "runs",
            "sha256",
            "owner",
            "deleted_by",
            "deleted_at",
            "store_is_clear",
            "is_whole",
            "copies",
        )
        read_only_fields = fields

    def get_store_is_clear(self, erasure: Erasure) -> bool:
        """Tell whether no file of it is left in the store."""
        return not erasure.stored
