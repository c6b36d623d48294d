"""Log lines and metric points: workers send them in numbered batches, people read them by cursor or as a stream."""

from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from bert_training import access
from bert_training.api.authentication import calling_person
from bert_training.api.frame import ApiView, WorkerView
from bert_training.api.parsing import (
    MOST_LINES_PER_PAGE,
    MOST_POINTS_PER_PAGE,
    RECORDS_PER_PAGE,
    JsonRenderer,
    TelemetryJsonParser,
    read_body,
    read_choice,
    read_count,
)
from bert_training.api.serializers.telemetry import LogPageSerializer, PointPageSerializer
from bert_training.contract.enums import POINT_SPLITS, LogLevel
from bert_training.contract.streams import LogBatch, LogLine, LogPost, MetricBatch, StreamAnswer
from bert_training.live.sse import log_events, read_event_id
from bert_training.live.viewers import Viewer
from bert_training.models import AccessToken
from bert_training.services import telemetry

SPLITS = list(POINT_SPLITS)
AFTER = OpenApiParameter("after", int, description="The cursor of the last record that the caller has.")
LIMIT = OpenApiParameter(
    "limit",
    int,
    description=f"At most this many records: {RECORDS_PER_PAGE}, up to {MOST_LINES_PER_PAGE} lines or "
    f"{MOST_POINTS_PER_PAGE} points.",
)
LEVEL = OpenApiParameter("level", str, enum=[level.value for level in LogLevel])
SPLIT = OpenApiParameter("split", str, enum=SPLITS)
LAST_EVENT_ID = OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER, description="The stream: go on after.")
EVENT_STREAM = "text/event-stream"


class PostLog(WorkerView):
    """POST logs."""

    parser_classes = [TelemetryJsonParser]

    @extend_schema(request=LogPost, responses=StreamAnswer)
    def post(self, request: Request) -> Response:
        """Store one log line: a batch of one."""
        line = read_body(request, LogPost)
        batch = LogBatch(
            job_id=line.job_id,
            attempt=line.attempt,
            first_seq=line.seq,
            lines=[LogLine(ts=line.ts, level=line.level, message=line.message)],
        )
        return Response(telemetry.append_logs(self.worker, batch).model_dump(mode="json"))


class PostLogBatch(WorkerView):
    """POST logs/batch."""

    parser_classes = [TelemetryJsonParser]

    @extend_schema(request=LogBatch, responses=StreamAnswer)
    def post(self, request: Request) -> Response:
        """Store log lines; those stored before are skipped, 409 `stream_gap` when lines before them are missing."""
        batch = read_body(request, LogBatch)
        return Response(telemetry.append_logs(self.worker, batch).model_dump(mode="json"))


class PostMetrics(WorkerView):
    """POST metrics."""

    @extend_schema(request=MetricBatch, responses=StreamAnswer)
    def post(self, request: Request) -> Response:
        """Store metric points; those stored before are skipped, 409 `stream_gap` when points before are missing."""
        batch = read_body(request, MetricBatch)
        return Response(telemetry.append_metrics(self.worker, batch).model_dump(mode="json"))


class RunMetrics(ApiView):
    """GET runs/{id}/metrics."""

    @extend_schema(parameters=[AFTER, LIMIT, SPLIT], responses=PointPageSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return metric points after a cursor."""
        run = access.visible_run(request.user, pk)
        after = read_count(request, "after", 0)
        limit = read_count(request, "limit", RECORDS_PER_PAGE, minimum=1, maximum=MOST_POINTS_PER_PAGE)
        split = read_choice(request, "split", SPLITS)
        points = telemetry.metrics_since(run.pk, after=after, limit=limit, split=split)
        return Response({"points": points, "next_after": points[-1]["cursor"] if points else after})


class EventStreamRenderer(BaseRenderer):
    """Lets `Accept: text/event-stream` through; the events themselves are written by live.sse."""

    media_type = EVENT_STREAM
    format = "event-stream"
    charset = "utf-8"

    def render(self, data: Any, media_type: str | None = None, context: Any = None) -> bytes:
        """Write an error, which is JSON also here (see JsonErrors)."""
        return JsonRenderer().render(data)


class RunLogs(ApiView):
    """GET runs/{id}/logs: a page as JSON, or a stream that goes on until the run has ended."""

    renderer_classes = [JsonRenderer, EventStreamRenderer]

    @extend_schema(
        parameters=[AFTER, LIMIT, LEVEL, LAST_EVENT_ID],
        responses={
            (200, "application/json"): LogPageSerializer,
            (200, EVENT_STREAM): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Return log lines after a cursor, or stream them as events `log` (id = cursor) and at last `end`."""
        run = access.visible_run(request.user, pk)
        if isinstance(request.accepted_renderer, EventStreamRenderer):
            return self._stream(request, run.pk)
        after = read_count(request, "after", 0)
        limit = read_count(request, "limit", RECORDS_PER_PAGE, minimum=1, maximum=MOST_LINES_PER_PAGE)
        level = read_choice(request, "level", [level.value for level in LogLevel])
        lines = telemetry.logs_since(run.pk, after=after, limit=limit, level=level)
        return Response({"lines": lines, "next_after": lines[-1]["cursor"] if lines else after})

    def _stream(self, request: Request, run_id: int) -> HttpResponseBase:
        if not isinstance(request._request, ASGIRequest):
            # A WSGI server would collect the endless stream before it sends anything.
            raise NotAcceptable(_("The event stream needs the ASGI server; ask for application/json."))
        after = read_event_id(request.headers.get("Last-Event-ID") or request.query_params.get("after", ""))
        events = log_events(run_id, after=after, viewer=self._viewer(request), language=get_language() or "en")
        response = StreamingHttpResponse(events, content_type=f"{EVENT_STREAM}; charset=utf-8")
        response["X-Accel-Buffering"] = "no"  # a proxy that buffers would hold the lines back
        return response

    def _viewer(self, request: Request) -> Viewer:
        token = request.auth.pk if isinstance(request.auth, AccessToken) else None
        session_key = None if token else request._request.session.session_key
        return Viewer(user_id=calling_person(request).pk, session_key=session_key, token_id=token)
