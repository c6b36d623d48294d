"""Datasets: what the API shows of them, what a check found, and the forms that bring them in."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bert_training.api.serializers.fields import OwnerField, UtcField
from bert_training.contract.enums import DatasetStatus
from bert_training.models import Dataset
from bert_training.models.choices import task_choices
from bert_training.models.dataset import PRIVACY_FULL
from bert_training.services.problem_words import shown_problem


class ProblemSerializer(serializers.Serializer[dict[str, Any]]):
    """One finding in a spreadsheet, in the caller's language."""

    code = serializers.CharField()
    sheet = serializers.CharField(allow_blank=True)
    row = serializers.IntegerField(allow_null=True)
    column = serializers.CharField(allow_blank=True)
    cell = serializers.CharField(allow_blank=True)
    message = serializers.SerializerMethodField()
    repair = serializers.SerializerMethodField()

    def get_message(self, problem: dict[str, Any]) -> str:
        """Fill the sentence's places."""
        return shown_problem(problem).sentence

    def get_repair(self, problem: dict[str, Any]) -> str:
        """Say what can be done, empty when nothing is known."""
        return shown_problem(problem).repair


class RefusalSerializer(serializers.Serializer[dict[str, Any]]):
    """Why the check in the background refused a dataset."""

    errors = ProblemSerializer(many=True)  # type: ignore[assignment]  # the contract's name, here a field like others
    counts = serializers.DictField(child=serializers.IntegerField())


class SummaryField(serializers.DictField):
    """What a dataset holds: counts of labels, lengths, and warnings in the caller's language."""

    def to_representation(self, summary: dict[str, Any]) -> dict[str, Any]:
        """Put the warnings into words; the rest is shown as it was counted."""
        return {**summary, "warnings": ProblemSerializer(summary.get("warnings", []), many=True).data}


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset."""

    owner = OwnerField()
    created_at = UtcField(read_only=True)
    columns = serializers.DictField(read_only=True)
    summary = SummaryField(read_only=True)

    refusal = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields = (
            "id",
            "name",
            "description",
            "task",
            "status",
            "progress",
            "original_name",
            "sha256",
            "bytes",
            "rows",
            "sheet",
            "columns",
            "privacy",
            "summary",
            "refusal",
            "owner",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(RefusalSerializer(allow_null=True))
    def get_refusal(self, dataset: Dataset) -> dict[str, Any] | None:
        """Return what the check in the background found, None unless it refused the dataset."""
        if dataset.status != DatasetStatus.REFUSED:
            return None
        return dict(RefusalSerializer(dataset.report).data)


class ReportSerializer(serializers.Serializer[Any]):
    """What a check found."""

    valid = serializers.BooleanField()
    rows = serializers.IntegerField()
    sheet = serializers.CharField(allow_blank=True)
    columns = serializers.DictField(child=serializers.CharField())
    columns_found = serializers.ListField(child=serializers.CharField())
    summary = SummaryField()
    errors = ProblemSerializer(many=True)  # type: ignore[assignment]  # the contract's name, here a field like others
    warnings = ProblemSerializer(many=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class CheckSerializer(serializers.Serializer[Any]):
    """The form of POST /datasets/validate."""

    file = serializers.FileField(allow_empty_file=True)
    task = serializers.ChoiceField(choices=task_choices())
    sheet = serializers.CharField(required=False, default="", allow_blank=True, max_length=100)
    columns = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=20_000,
        help_text="JSON: the task's column -> the file's column, or a list of columns to join.",
    )


class UploadSerializer(CheckSerializer):
    """The form of POST /datasets/upload."""

    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    description = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    privacy = serializers.ChoiceField(choices=[PRIVACY_FULL], required=False, default=PRIVACY_FULL)
