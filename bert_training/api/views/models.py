"""What can be trained: the catalogue of base models, and the tasks with their own declarations."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training.api.frame import ApiView
from bert_training.api.permissions import IsMember
from bert_training.api.serializers.catalogue import BaseModelSerializer, TaskPageSerializer
from bert_training.models import BaseModel
from bert_training.tasks import TASKS


class BaseModels(ApiView, ListAPIView[BaseModel]):
    """GET base-models."""

    permission_classes = [IsMember]
    serializer_class = BaseModelSerializer
    filterset_fields = ["recommended", "name"]
    search_fields = ["name", "label", "language"]
    ordering_fields = ["id", "name", "size_bytes", "parameters"]

    def get_queryset(self) -> QuerySet[BaseModel]:
        """Return what is offered, the recommended first."""
        return BaseModel.objects.filter(active=True)


class Tasks(ApiView):
    """GET tasks."""

    permission_classes = [IsMember]

    @extend_schema(responses=TaskPageSerializer)
    def get(self, request: Request) -> Response:
        """Return each task with its columns, hyperparameters, metrics and example rows."""
        page = {"count": len(TASKS), "next": None, "previous": None, "results": list(TASKS.values())}
        return Response(TaskPageSerializer(page).data)
