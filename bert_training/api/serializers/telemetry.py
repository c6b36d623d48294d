"""Log lines and metric points in pages."""

from typing import Any

from rest_framework import serializers


class StoredLineSerializer(serializers.Serializer[Any]):
    """One stored log line; `cursor` is what `after` and Last-Event-ID take."""

    cursor = serializers.IntegerField()
    attempt = serializers.IntegerField()
    seq = serializers.IntegerField()
    ts = serializers.CharField()
    level = serializers.CharField()
    message = serializers.CharField()


class LogPageSerializer(serializers.Serializer[Any]):
    """Log lines after a cursor, oldest first."""

    lines = StoredLineSerializer(many=True)
    next_after = serializers.IntegerField()


class PointSerializer(serializers.Serializer[Any]):
    """The figures of one split at one step; null where a figure was not finite."""

    cursor = serializers.IntegerField()
    attempt = serializers.IntegerField()
    epoch = serializers.IntegerField()
    step = serializers.IntegerField()
    split = serializers.CharField()
    values = serializers.DictField(child=serializers.FloatField(allow_null=True))


class PointPageSerializer(serializers.Serializer[Any]):
    """Metric points after a cursor, oldest first."""

    points = PointSerializer(many=True)
    next_after = serializers.IntegerField()
