"""What can be trained: base models and tasks, in the caller's language."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from bert_training.models import BaseModel
from bert_training.tasks.hyperparameters.declaration import GROUP_LABELS, Group
from bert_training.tasks.hyperparameters.groups import names_in_order


class BaseModelSerializer(serializers.ModelSerializer[BaseModel]):
    """An entry of the catalogue, its advice in the caller's language."""

    tasks = serializers.ListField(child=serializers.CharField(), read_only=True)
    advice = serializers.SerializerMethodField()

    class Meta:
        model = BaseModel
        fields = (
            "id",
            "name",
            "label",
            "tasks",
            "language",
            "size_bytes",
            "parameters",
            "max_length",
            "licence",
            "revision",
            "advice",
            "recommended",
        )
        read_only_fields = fields

    def get_advice(self, entry: BaseModel) -> str:
        """Return when to choose it."""
        return _(entry.advice) if entry.advice else ""


class ColumnSerializer(serializers.Serializer[Any]):
    """A column that a task needs."""

    name = serializers.CharField()
    header = serializers.CharField()
    label = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field of the answer
    help = serializers.SerializerMethodField()
    aliases = serializers.ListField(child=serializers.CharField())

    def get_label(self, column: Any) -> str:
        """Return its name for people."""
        return _(column.label)

    def get_help(self, column: Any) -> str:
        """Return what belongs into it."""
        return _(column.help)


class MetricSerializer(serializers.Serializer[Any]):
    """A figure that a task reports."""

    name = serializers.CharField()
    label = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field of the answer
    chart = serializers.CharField()
    higher_is_better = serializers.BooleanField()

    def get_label(self, metric: Any) -> str:
        """Return its name for people."""
        return _(metric.label)


class PresetSerializer(serializers.Serializer[Any]):
    """A set of hyperparameters in plain words; `values` names those that it decides."""

    name = serializers.CharField()
    label = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field of the answer
    purpose = serializers.SerializerMethodField()
    values = serializers.DictField()

    def get_label(self, preset: Any) -> str:
        """Return its name for people."""
        return _(preset.label)

    def get_purpose(self, preset: Any) -> str:
        """Return what for, and what it costs."""
        return _(preset.purpose)


class TaskSerializer(serializers.Serializer[Any]):
    """What can be trained, from the task's own declaration."""

    name = serializers.CharField()
    label = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field of the answer
    description = serializers.SerializerMethodField()
    columns = ColumnSerializer(many=True)
    example_rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    hyperparameters = serializers.SerializerMethodField()
    presets = PresetSerializer(many=True)
    metrics = MetricSerializer(many=True)
    best_metric = serializers.CharField()

    def get_label(self, task: Any) -> str:
        """Return its name for people."""
        return _(task.label)

    def get_description(self, task: Any) -> str:
        """Return what it learns."""
        return _(task.description)

    def get_hyperparameters(self, task: Any) -> dict[str, Any]:
        """Return their JSON schema in the order of forms, with title, description, default, limits, unit and group."""
        schema: dict[str, Any] = task.hyperparameters.model_json_schema()
        fields = schema["properties"]
        schema["properties"] = {name: _in_words(fields[name]) for name in names_in_order(task.hyperparameters)}
        return schema


def _in_words(field: dict[str, Any]) -> dict[str, Any]:
    """Translate what people read of one hyperparameter."""
    choices = {value: _(words) for value, words in field.get("choices", {}).items()}
    words = {name: _(field[name]) if field.get(name) else "" for name in ("title", "description", "unit", "empty")}
    group_label = _(GROUP_LABELS[Group(field["group"])])
    return {**field, **words, "group_label": group_label, **({"choices": choices} if choices else {})}


class TaskPageSerializer(serializers.Serializer[Any]):
    """All tasks, in the form of every list."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = TaskSerializer(many=True)
