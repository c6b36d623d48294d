"""What happens around every request: an id, security headers, a body limit, JSON errors when the database is away."""

import logging
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from redis.exceptions import RedisError

from bert_training.accounts import middleware as accounts
from bert_training.contract.enums import ErrorCode
from bert_training.contract.limits import JSON_BODY_BYTES, UNAVAILABLE_RETRY_AFTER_SECONDS, UPLOAD_BYTES
from bert_training.services.transactions import sqlstate_of
from portal.errors import is_api, refusal
from portal.logs import set_request_id

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
MULTIPART_EXTRA_BYTES = 1024 * 1024  # the form's other fields and boundaries
BODY_TOO_LARGE = gettext_noop("The request is larger than %(limit)s bytes.")
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def request_id(get_response: GetResponse) -> GetResponse:
    """Give each request an id, the caller's own when it is well formed, and echo it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        chosen = given if REQUEST_ID_FORM.fullmatch(given) else uuid.uuid4().hex
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


HEALTH = "/health/"
# PostgreSQL: undefined_table, undefined_column. SQLite reports both as an OperationalError.
NOT_MIGRATED_SQLSTATES = frozenset({"42P01", "42703"})


class DatabaseAway:
    """Turns a lost database or cache into 503 with Retry-After, for pages too: never a half answer, never HTML to a
    worker, and no way round what is counted in the cache.

    One that is locked, full, or whose tables are being changed by a migration is as good as away.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (DatabaseError, InterfaceError, RedisError) as error:
            if not is_away(error):
                raise
            return _unavailable(request, error)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for the view; anything but a lost database goes on to Django's own handling."""
        return _unavailable(request, exception) if is_away(exception) else None


def api_errors(get_response: GetResponse) -> DatabaseAway:
    """Name the middleware in settings as the others."""
    return DatabaseAway(get_response)


class AccountGuard(DatabaseAway):
    """What accounts ask of the database before a view is reached: an outage answers, and lets nobody pass.

    Whether the portal is alive is told without looking who asks.
    """

    def __init__(self, get_response: GetResponse, guard: Callable[[GetResponse], GetResponse]) -> None:
        super().__init__(guard(get_response))
        self.unguarded = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.unguarded(request) if request.path.startswith(HEALTH) else super().__call__(request)


def keep_session(get_response: GetResponse) -> AccountGuard:
    """Keep a session that is used."""
    return AccountGuard(get_response, accounts.keep_session)


def require_second_factor(get_response: GetResponse) -> AccountGuard:
    """Lead staff to the second factor that they owe."""
    return AccountGuard(get_response, accounts.require_second_factor)


def is_away(error: Exception) -> bool:
    """Tell whether the database cannot serve now but will again, without a change of the program."""
    if isinstance(error, ProgrammingError):
        return sqlstate_of(error) in NOT_MIGRATED_SQLSTATES
    return isinstance(error, OperationalError | InterfaceError | RedisError)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    # Not the error's text, which may quote a row. 57014 = a statement took too long, 42P01 = `migrate` was forgotten.
    cause = {"error": type(error).__name__, "sqlstate": sqlstate_of(error)}
    logger.warning("database away", extra={"path": request.path, **cause})
    message = _("The portal's database cannot be reached at the moment.")
    response = refusal(request, 503, ErrorCode.UNAVAILABLE, message)
    response["Retry-After"] = str(UNAVAILABLE_RETRY_AFTER_SECONDS)
    return response


def body_limit(get_response: GetResponse) -> GetResponse:
    """Refuse a body that is too long by its Content-Length, for servers other than `portal.server`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "0") or "0"
        is_identified = "Authorization" in request.headers or settings.SESSION_COOKIE_NAME in request.COOKIES
        limit = allowed_body_bytes(request.path, is_identified=is_identified)
        # Python reads no number of more than 4,300 digits.
        is_number = length.isascii() and length.isdecimal() and len(length) < 20
        if not is_number or int(length) > limit:
            return refusal(request, 413, ErrorCode.TOO_LARGE, _(BODY_TOO_LARGE) % {"limit": limit}, limit=limit)
        return get_response(request)

    return middleware


def allowed_body_bytes(path: str, *, is_identified: bool) -> int:
    """Return how long a body may be: 51 MiB for an upload by a caller who shows a session or a token, else 1 MiB."""
    if is_identified and settings.UPLOAD_PATHS.fullmatch(path):
        return UPLOAD_BYTES + MULTIPART_EXTRA_BYTES
    return JSON_BODY_BYTES
