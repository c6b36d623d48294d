"""Manifests: the form that brings one, and what is shown of it."""

from typing import Any

from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.services.manifests import ManifestFacts


class ManifestFormSerializer(serializers.Serializer[Any]):
    """The form of POST /datasets/{id}/manifest."""

    file = serializers.FileField(allow_empty_file=True, help_text="Columns linha, conjunto, and arquivo if needed.")


class ManifestSerializer(serializers.Serializer[ManifestFacts]):
    """A dataset's own manifest in numbers."""

    original_name = serializers.CharField(source="manifest.original_name")
    rows = serializers.DictField(child=serializers.IntegerField(), help_text="Rows of each split.")
    left_out = serializers.IntegerField()
    created_at = UtcField(source="manifest.created_at")
