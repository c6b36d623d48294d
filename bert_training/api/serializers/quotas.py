"""Quotas: how much somebody and their teams may have, and how much of it they have."""

from typing import Any

from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.contract.enums import QuotaKind


class QuotaSerializer(serializers.Serializer[Any]):
    """One quota (services.quotas.Use): of the caller alone, or of a team with all its members."""

    quota = serializers.ChoiceField(source="kind", choices=[kind.value for kind in QuotaKind])
    team = serializers.CharField(allow_null=True, help_text="Its name; null for the caller's own.")
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null: as much as wanted.")
    resets_at = UtcField(allow_null=True, help_text="When it begins anew; null for what does not pass by itself.")


class QuotasSerializer(serializers.Serializer[Any]):
    """All that bound what the caller may keep and start."""

    quotas = QuotaSerializer(many=True)
