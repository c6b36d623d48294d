"""The queue in numbers, for people and for monitoring."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training.api.frame import ApiView
from bert_training.api.permissions import IsMember
from bert_training.api.serializers.workers import QueueSerializer
from bert_training.services.queue import queue_status


class QueueStatus(ApiView):
    """GET queue/status."""

    permission_classes = [IsMember]

    @extend_schema(responses=QueueSerializer)
    def get(self, request: Request) -> Response:
        """Count jobs and workers."""
        return Response(QueueSerializer(queue_status()).data)
