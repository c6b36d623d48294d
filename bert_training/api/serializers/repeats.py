"""Repeats of a run: what the API shows of cross-validation and of other seeds."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from bert_training.services.repeating.repeat_summary import RepeatSummary


class RepeatSerializer(serializers.Serializer[Any]):
    """One child run; GET /runs/{id} shows it whole."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    status = serializers.CharField()
    seed = serializers.IntegerField()
    metrics = serializers.DictField(child=serializers.FloatField(allow_null=True), help_text="Empty before its end.")


class SpreadSerializer(serializers.Serializer[Any]):
    """How a figure spreads over the repeats: a description of them, no confidence interval."""

    metric = serializers.CharField()
    mean = serializers.FloatField()
    standard_deviation = serializers.FloatField()
    lowest = serializers.FloatField()
    highest = serializers.FloatField()
    runs = serializers.IntegerField(help_text="Over seeds the run itself is one of them.")


class RepeatSummarySerializer(serializers.Serializer[RepeatSummary]):
    """All repeats of one kind."""

    kind = serializers.CharField(help_text="fold or seed")
    planned = serializers.IntegerField()
    ended = serializers.IntegerField()
    completed = serializers.IntegerField()
    runs = RepeatSerializer(many=True)
    spread = SpreadSerializer(many=True, help_text="From two completed repeats on; the deciding metric first.")

    def to_representation(self, summary: RepeatSummary) -> dict[str, Any]:
        """Collect what the fields above name."""
        shown: dict[str, Any] = super().to_representation(_facts_of(summary))  # type: ignore[arg-type]
        return shown


class RepeatsSerializer(serializers.Serializer[Any]):
    """The answer of GET and POST /runs/{id}/repeats: one entry for each kind that there is."""

    run = serializers.IntegerField()
    repeats = RepeatSummarySerializer(many=True)


def _facts_of(summary: RepeatSummary) -> dict[str, Any]:
    return {
        "kind": summary.kind.value,
        "planned": summary.planned,
        "ended": summary.ended,
        "completed": summary.completed,
        "runs": [
            {
                "id": repeat.run.pk,
                "name": repeat.run.name,
                "number": repeat.run.repeat_number,
                "status": repeat.run.status,
                "seed": repeat.run.hyperparameters["seed"],
                "metrics": repeat.metrics,
            }
            for repeat in summary.repeats
        ],
        "spread": [{"metric": each.metric.name, **asdict(each.spread)} for each in summary.spreads],
    }
