"""What happens around every request: an id, security headers, a body limit, JSON errors when the database is away."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.contract.limits import JSON_BODY_BYTES, UPLOAD_BYTES
from portal.errors import is_api, json_error
from portal.logs import set_request_id

GetResponse = Callable[[HttpRequest], HttpResponse]

REQUEST_ID_FORM = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
UNAVAILABLE_RETRY_SECONDS = 5
MULTIPART_EXTRA_BYTES = 1024 * 1024  # the form's other fields and boundaries
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def request_id(get_response: GetResponse) -> GetResponse:
    """Give each request an id, the caller's own when it is well formed, and echo it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        chosen = given if REQUEST_ID_FORM.match(given) else uuid.uuid4().hex
        set_request_id(chosen)
        response = get_response(request)
        response["X-Request-ID"] = chosen
        return response

    return middleware


def security_headers(get_response: GetResponse) -> GetResponse:
    """Add the Content-Security-Policy, unless a view has set its own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if is_api(request):
            response.headers.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ["Authorization", "Cookie"])
        return response

    return middleware


class DatabaseAway:
    """Turns a lost database into 503 with Retry-After, for pages too: never a half answer, never HTML to a worker."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return _unavailable(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for the view; anything but a lost database goes on to Django's own handling."""
        if isinstance(exception, OperationalError | InterfaceError):
            return _unavailable(request)
        return None


def api_errors(get_response: GetResponse) -> DatabaseAway:
    """Name the middleware in settings as the others."""
    return DatabaseAway(get_response)


def _unavailable(request: HttpRequest) -> HttpResponse:
    message = _("The portal's database cannot be reached at the moment.")
    if is_api(request):
        response: HttpResponse = json_error(503, ErrorCode.UNAVAILABLE, message)
    else:
        response = HttpResponse(message, status=503, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = str(UNAVAILABLE_RETRY_SECONDS)
    return response


def body_limit(get_response: GetResponse) -> GetResponse:
    """Refuse a body that is too long by its Content-Length, for servers other than `portal.server`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "0") or "0"
        limit = allowed_body_bytes(request.path)
        if not (length.isascii() and length.isdecimal()) or int(length) > limit:
            message = _("The request is larger than %(limit)s bytes.") % {"limit": limit}
            if is_api(request):
                return json_error(413, ErrorCode.TOO_LARGE, message, limit=limit)
            return HttpResponse(message, status=413, content_type="text/plain; charset=utf-8")
        return get_response(request)

    return middleware


def allowed_body_bytes(path: str) -> int:
    """Return how long a body may be: uploads 51 MiB, everything else 1 MiB."""
    return UPLOAD_BYTES + MULTIPART_EXTRA_BYTES if path in settings.UPLOAD_PATHS else JSON_BODY_BYTES
