"""Workers, and the queue in numbers."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from bert_training.api.serializers.fields import UtcField
from bert_training.models import Worker


class WorkerSerializer(serializers.ModelSerializer[Worker]):
    """A worker. Needs its valid tokens, the newest first, in `shown_tokens` and its running job in `running_jobs`."""

    prefix = serializers.SerializerMethodField()
    token_expires_at = serializers.SerializerMethodField()
    last_seen_at = UtcField(read_only=True, allow_null=True)
    seconds_since_seen = serializers.SerializerMethodField()
    online = serializers.BooleanField(source="is_online", read_only=True)
    paused_at = UtcField(read_only=True, allow_null=True)
    hours = serializers.ListField(
        child=serializers.DictField(), read_only=True, help_text="When it claims; empty = always. Day 0 is Monday."
    )
    hardware = serializers.DictField(read_only=True)
    versions = serializers.DictField(read_only=True)
    job = serializers.SerializerMethodField()

    class Meta:
        model = Worker
        fields = (
            "id",
            "name",
            "description",
            "prefix",
            "token_expires_at",
            "active",
            "draining",
            "paused_at",
            "hours",
            "online",
            "state",
            "last_seen_at",
            "seconds_since_seen",
            "hardware",
            "versions",
            "job",
        )
        read_only_fields = fields

    def get_prefix(self, worker: Any) -> str:
        """Return how its token begins, empty when none is valid."""
        return worker.shown_tokens[0].prefix if worker.shown_tokens else ""

    def get_token_expires_at(self, worker: Any) -> datetime | None:
        """Return until when its token is valid; null where it does not end, or there is none."""
        return worker.shown_tokens[0].expires_at if worker.shown_tokens else None

    def get_seconds_since_seen(self, worker: Worker) -> float | None:
        """Return how long ago it was heard of."""
        return worker.seconds_since_seen()

    def get_job(self, worker: Any) -> int | None:
        """Return the job that it holds."""
        return worker.running_jobs[0].pk if worker.running_jobs else None


class WorkerCountsSerializer(serializers.Serializer[Any]):
    """How many workers there are, and when one of them was last heard of."""

    registered = serializers.IntegerField()
    online = serializers.IntegerField()
    busy = serializers.IntegerField()
    last_seen_at = UtcField(allow_null=True)


class QueueSerializer(serializers.Serializer[Any]):
    """The queue in numbers."""

    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    silent = serializers.IntegerField()
    oldest_queued_seconds = serializers.FloatField(allow_null=True)
    workers = WorkerCountsSerializer()
