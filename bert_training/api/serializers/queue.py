"""The queue as it will be handed out: places, who is in them, and when each is expected to start."""

from typing import Any

from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.services.queue_entries import Entry


class QueueEntrySerializer(serializers.Serializer[Any]):
    """One entry. `name` and `owner` are null where the caller may not know the run."""

    position = serializers.IntegerField(help_text="1 = the next.")
    job = serializers.IntegerField()
    run = serializers.IntegerField(help_text="Its own page and data open to those who may see it.")
    name = serializers.CharField(allow_null=True)
    owner = serializers.CharField(allow_null=True)
    task = serializers.CharField()
    simulate = serializers.BooleanField()
    priority = serializers.IntegerField()
    queued_at = UtcField()
    number_of_owner = serializers.IntegerField(help_text="Of its owner's waiting runs of this priority; 0 = not known.")
    earliest_start = UtcField(allow_null=True, help_text="Rough; null = not known.")
    latest_start = UtcField(allow_null=True)
    unknown = serializers.CharField(help_text="Why latest_start is null: no_computer, no_experience, too_far; or empty")

    def to_representation(self, entry: Entry) -> dict[str, Any]:
        """Collect what the fields above name."""
        shown: dict[str, Any] = super().to_representation(_facts_of(entry))
        return shown


class QueuePlaceSerializer(serializers.Serializer[Any]):
    """Where an entry stands after it was moved."""

    job = serializers.IntegerField()
    position = serializers.IntegerField()
    priority = serializers.IntegerField()


def _facts_of(entry: Entry) -> dict[str, Any]:
    job, run, outlook = entry.job, entry.run, entry.outlook
    return {
        "position": entry.position,
        "job": job.pk,
        "run": job.run_id,
        "name": run.name if run else None,
        "owner": run.owner.get_username() if run else None,
        "task": job.task,
        "simulate": job.simulate,
        "priority": job.priority,
        "queued_at": job.queued_at,
        "number_of_owner": outlook.number if outlook else 0,
        "earliest_start": outlook.start.earliest if outlook else None,
        "latest_start": outlook.start.latest if outlook else None,
        "unknown": (outlook.start.unknown or "") if outlook else "",
    }
