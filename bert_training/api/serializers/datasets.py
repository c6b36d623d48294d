"""Datasets: what the API shows of them, what a check found, and the forms that bring them in."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bert_training.api.serializers.access import DetailFields, seen_origin
from bert_training.api.serializers.fields import OwnerField, UtcField
from bert_training.contract.enums import DatasetStatus
from bert_training.models import Dataset
from bert_training.models.choices import task_choices
from bert_training.models.dataset import PRIVACY_FULL
from bert_training.services.fix_words import offered_fixes
from bert_training.services.problem_words import shown_problem


class ProblemSerializer(serializers.Serializer[dict[str, Any]]):
    """One finding in a spreadsheet, in the caller's language."""

    code = serializers.CharField()
    sheet = serializers.CharField(allow_blank=True)
    row = serializers.IntegerField(allow_null=True)
    column = serializers.CharField(allow_blank=True)
    cell = serializers.CharField(allow_blank=True)
    part = serializers.CharField(default="", help_text="Empty for the file itself, else validation or test.")
    excerpt = serializers.CharField(default="", help_text="The start of the cell's value.")
    fix = serializers.CharField(default="", help_text="The one-click repair that mends it, for `recipe`.")
    message = serializers.SerializerMethodField()
    repair = serializers.SerializerMethodField()

    def get_message(self, problem: dict[str, Any]) -> str:
        """Fill the sentence's places."""
        return shown_problem(problem).sentence

    def get_repair(self, problem: dict[str, Any]) -> str:
        """Say what can be done, empty when nothing is known."""
        return shown_problem(problem).repair


class GroupSerializer(serializers.Serializer[dict[str, Any]]):
    """All findings of one kind: how many, and the first of them."""

    code = serializers.CharField()
    is_error = serializers.BooleanField()
    count = serializers.IntegerField()
    fix = serializers.CharField(allow_blank=True)
    problems = ProblemSerializer(many=True)


class OfferedFixSerializer(serializers.Serializer[Any]):
    """A one-click repair that the file could use: send its name in `recipe`."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the contract's name, here a field like others
    count = serializers.IntegerField(help_text="How many findings it mends.")


class ProblemPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of findings."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ProblemSerializer(many=True)


class RefusalSerializer(serializers.Serializer[dict[str, Any]]):
    """Why the check in the background refused a dataset."""

    errors = ProblemSerializer(many=True)  # type: ignore[assignment]  # the contract's name, here a field like others
    groups = GroupSerializer(many=True, default=[])
    counts = serializers.DictField(child=serializers.IntegerField())


class SummaryField(serializers.DictField):
    """What a dataset holds: counts of labels, lengths, and warnings in the caller's language."""

    def to_representation(self, summary: dict[str, Any]) -> dict[str, Any]:
        """Put the warnings into words; the rest is shown as it was counted."""
        return {**summary, "warnings": ProblemSerializer(summary.get("warnings", []), many=True).data}


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset. Needs `context_of`."""

    owner = OwnerField()
    created_at = UtcField(read_only=True)
    columns = serializers.DictField(read_only=True)
    summary = SummaryField(read_only=True)

    extra_files = serializers.DictField(read_only=True, help_text="validation, test -> {name, sha256, bytes}")
    recipe = serializers.ListField(child=serializers.CharField(), read_only=True)
    derived_from = serializers.SerializerMethodField()
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
            "extra_files",
            "recipe",
            "derived_from",
            "privacy",
            "summary",
            "refusal",
            "owner",
            "created_at",
        )
        read_only_fields = fields

    def get_derived_from(self, dataset: Dataset) -> int | None:
        """Return the dataset that it was made of, None where the caller may not see that one."""
        return seen_origin(self.context, dataset.derived_from_id)

    @extend_schema_field(RefusalSerializer(allow_null=True))
    def get_refusal(self, dataset: Dataset) -> dict[str, Any] | None:
        """Return what the check in the background found, None unless it refused the dataset."""
        if dataset.status != DatasetStatus.REFUSED:
            return None
        return dict(RefusalSerializer(dataset.report).data)


class DatasetDetailSerializer(DetailFields, DatasetSerializer):
    """A dataset by itself. Needs `context_of_one`."""

    class Meta(DatasetSerializer.Meta):
        fields: tuple[str, ...] = (*DatasetSerializer.Meta.fields, "may", "shares")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


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
    groups = GroupSerializer(many=True, default=[])
    counts = serializers.DictField(child=serializers.IntegerField())
    sheets = serializers.ListField(child=serializers.CharField())
    suggestions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The task's column -> columns of the file that it could be, the likeliest first; none is applied.",
    )
    fixes = serializers.SerializerMethodField()

    @extend_schema_field(OfferedFixSerializer(many=True))
    def get_fixes(self, report: dict[str, Any]) -> list[dict[str, Any]]:
        """Name the one-click repairs that the findings offer."""
        return list(OfferedFixSerializer(offered_fixes(report), many=True).data)


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
        help_text="JSON: the task's column, or `group`, -> the file's column, or a list of columns to join.",
    )
    validation_file = serializers.FileField(required=False, default=None, allow_empty_file=True)
    test_file = serializers.FileField(required=False, default=None, allow_empty_file=True)
    recipe = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=2000,
        help_text="JSON list of one-click repairs, as `fixes` of a check names them.",
    )


class UploadSerializer(CheckSerializer):
    """The form of POST /datasets/upload."""

    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    description = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    privacy = serializers.ChoiceField(choices=[PRIVACY_FULL], required=False, default=PRIVACY_FULL)
