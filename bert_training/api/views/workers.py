"""Workers: register one, list them, take their heartbeats."""

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.frame import ApiView, WorkerView
from bert_training.api.parsing import read_body
from bert_training.api.permissions import IsOperator, IsStaff
from bert_training.api.serializers.workers import WorkerSerializer
from bert_training.contract.enums import JobStatus, TokenScope
from bert_training.contract.messages import HeartbeatAnswer, HeartbeatRequest, RegisteredWorker, RegisterRequest
from bert_training.models import AccessToken, Job, Worker
from bert_training.services import workers


class RegisterWorker(ApiView):
    """POST workers/register."""

    scopes = {"POST": TokenScope.MANAGE}
    permission_classes = [IsStaff]

    @extend_schema(request=RegisterRequest, responses={201: RegisteredWorker})
    def post(self, request: Request) -> Response:
        """Register a worker; the answer holds its token this once."""
        body = read_body(request, RegisterRequest)
        registered = workers.register_worker(name=body.name, description=body.description, days=body.days)
        return Response(registered.model_dump(mode="json"), status=201)


class Workers(ApiView, ListAPIView[Worker]):
    """GET workers."""

    permission_classes = [IsOperator]
    serializer_class = WorkerSerializer
    filterset_fields = ["active", "draining", "state"]
    search_fields = ["name", "description"]
    ordering_fields = ["id", "name", "last_seen_at"]

    def get_queryset(self) -> QuerySet[Worker]:
        """Return the workers with how their tokens begin and the job that they hold."""
        tokens = AccessToken.objects.usable().order_by("-id")
        running = Job.objects.filter(status=JobStatus.RUNNING)
        return (
            access.workers_visible_to(self.request.user)
            .prefetch_related(
                Prefetch("tokens", queryset=tokens, to_attr="shown_tokens"),
                Prefetch("jobs", queryset=running, to_attr="running_jobs"),
            )
            .order_by("name")
        )


class Heartbeat(WorkerView):
    """POST workers/heartbeat."""

    @extend_schema(request=HeartbeatRequest, responses=HeartbeatAnswer)
    def post(self, request: Request) -> Response:
        """Say that the worker lives; renews the lease of the job that it holds."""
        answer = workers.record_heartbeat(self.worker, read_body(request, HeartbeatRequest))
        return Response(answer.model_dump(mode="json"))
