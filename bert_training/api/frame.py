"""What every view of the API has: strict query, no caching, only declared methods; and what every worker's call has."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bert_training.api.authentication import calling_worker
from bert_training.api.parsing import JsonRenderer, refuse_nul
from bert_training.api.permissions import IsWorker
from bert_training.api.rate_limit import limit_rate
from bert_training.api.schema import WORKER_ERRORS, ApiSchema
from bert_training.api.scopes import require_scope
from bert_training.contract.enums import ErrorCode, TokenScope
from bert_training.contract.limits import PROTOCOL_MIN, PROTOCOL_VERSION, UPLOAD_BYTES
from bert_training.models import Worker
from bert_training.services.errors import ServiceError


class JsonErrors(APIView):
    """Answers errors as JSON, also to who asked for something else: a stream, a page, YAML."""

    def handle_exception(self, exc: Exception) -> Response:
        """Choose the renderer before the answer is made."""
        self.request.accepted_renderer = JsonRenderer()
        self.request.accepted_media_type = JsonRenderer.media_type
        return super().handle_exception(exc)


class ApiView(JsonErrors):
    """A view for people, unless it names other permissions."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    schema = ApiSchema()
    own_errors: ClassVar[Mapping[str, str]] = {}  # for the document: status -> when, beside those of every call
    # Of a person's token, for each method that writes; reading needs the lowest. Checked after the permissions.
    scopes: ClassVar[Mapping[str, TokenScope]] = {}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Keep the framework from taking a body in chunks, which has no Content-Length, for an empty one."""
        if request.headers.get("Transfer-Encoding") and not request.META.get("CONTENT_LENGTH"):
            request.META["CONTENT_LENGTH"] = str(UPLOAD_BYTES)  # unknown; large, so that files go to disk
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check what stands before the view's own work."""
        refuse_nul(request._request)
        super().initial(request, *args, **kwargs)
        limit_rate(request)
        require_scope(request, self)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep every answer, errors too, out of caches."""
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)


class WorkerView(ApiView):
    """A view for workers; they say which version of the protocol they speak."""

    permission_classes = [IsWorker]
    own_errors = WORKER_ERRORS

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a worker that speaks a protocol which is too old."""
        super().initial(request, *args, **kwargs)
        require_protocol(request)

    @property
    def worker(self) -> Worker:
        """The calling worker."""
        worker = calling_worker(self.request)
        assert worker is not None  # IsWorker has seen it
        return worker


def require_protocol(request: Request) -> None:
    """Raise ServiceError protocol_too_old unless X-Worker-Protocol names a version that the portal still speaks."""
    text = request.headers.get("X-Worker-Protocol", "")
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= PROTOCOL_MIN:
        return
    message = _("The worker's program is too old for this portal. Update the worker.")
    limits = {"min": PROTOCOL_MIN, "max": PROTOCOL_VERSION}
    raise ServiceError(ErrorCode.PROTOCOL_TOO_OLD, message, http_status=426, **limits)
