"""The queue: in numbers for monitoring, its order for all, and put into another order by operators."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training.api.authentication import calling_person
from bert_training.api.bodies import QueueMove, QueuePriority
from bert_training.api.frame import ApiView
from bert_training.api.parsing import read_body
from bert_training.api.permissions import IsMember, IsOperator
from bert_training.api.serializers.queue import QueueEntrySerializer, QueuePlaceSerializer
from bert_training.api.serializers.workers import QueueSerializer
from bert_training.contract.enums import TokenScope
from bert_training.models import Job
from bert_training.services.queue import queue_status
from bert_training.services.queue_entries import waiting_entries
from bert_training.services.queue_order import move_job, place_of, set_priority


class QueueStatus(ApiView):
    """GET queue/status."""

    permission_classes = [IsMember]

    @extend_schema(responses=QueueSerializer)
    def get(self, request: Request) -> Response:
        """Count jobs and workers."""
        return Response(QueueSerializer(queue_status()).data)


class Queue(ApiView, ListAPIView[Job]):
    """GET queue."""

    permission_classes = [IsMember]
    serializer_class = QueueEntrySerializer

    def get_queryset(self) -> QuerySet[Job]:
        """Return who waits, the next first."""
        return Job.objects.in_queue_order()

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        """Return the entries of the page, with what is expected of them."""
        count = len(super().paginate_queryset(queryset) or ())
        page: Any = self.paginator.page  # type: ignore[union-attr]
        return waiting_entries(calling_person(self.request), first=max(1, page.start_index()), count=count)


class MoveInQueue(ApiView):
    """POST queue/{job}/move."""

    scopes = {"POST": TokenScope.MANAGE}
    permission_classes = [IsOperator]

    @extend_schema(request=QueueMove, responses=QueuePlaceSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Move a waiting job: `first`, `up`, `down`, `last`. It takes the priority of its new neighbour."""
        move_job(pk, read_body(request, QueueMove).to)
        return _answer_place(pk)


class PriorityInQueue(ApiView):
    """POST queue/{job}/priority."""

    scopes = {"POST": TokenScope.MANAGE}
    permission_classes = [IsOperator]

    @extend_schema(request=QueuePriority, responses=QueuePlaceSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Say how urgent a waiting job is."""
        set_priority(pk, read_body(request, QueuePriority).priority)
        return _answer_place(pk)


def _answer_place(pk: int) -> Response:
    return Response(QueuePlaceSerializer(place_of(pk)).data)
