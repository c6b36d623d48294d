"""Who is calling: a worker or a person by token, a person by session. The token comes first and stands alone."""

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from bert_training.api.rate_limit import refuse_token
from bert_training.contract.enums import ErrorCode
from bert_training.models import AccessToken, Worker
from bert_training.services.errors import ServiceError, TokenMalformed, TokenUnknown
from bert_training.services.tokens import find_token


class CsrfFailed(ServiceError):
    """A session's write without its CSRF token."""

    http_status = 403


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer bertw_...` (worker: request.auth.worker) or `bertu_...` (person: request.user)."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, AccessToken] | None:
        """Return who holds the token, None without the header; a wrong token is never passed over for a session."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        try:
            return _holder(_sent_token(header))
        except (TokenMalformed, TokenUnknown) as refusal:
            refuse_token(request._request, refusal)

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme; with it a call without any sign-in is answered by 401."""
        return 'Bearer realm="api"'


def _sent_token(header: str) -> AccessToken:
    scheme, _space, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMalformed(ErrorCode.TOKEN_MALFORMED, _("The form is: Authorization: Bearer <token>."))
    return find_token(text)


def _holder(token: AccessToken) -> tuple[User | AnonymousUser, AccessToken]:
    if token.worker is not None:
        if not token.worker.active:
            message = _("This worker has been deactivated.")
            raise ServiceError(ErrorCode.WORKER_INACTIVE, message, http_status=403)
        return AnonymousUser(), token
    if token.user is None or not token.user.is_active:
        raise TokenUnknown(ErrorCode.TOKEN_UNKNOWN, _("The token is unknown, revoked or expired."))
    return token.user, token


class PortalSessionAuthentication(SessionAuthentication):
    """The session of the pages; writes need the CSRF token."""

    def enforce_csrf(self, request: Request) -> None:
        """Answer a failed check in words of ours."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise CsrfFailed(ErrorCode.CSRF_FAILED, _("The CSRF token is missing or wrong.")) from None


def calling_worker(request: Request) -> Worker | None:
    """Return the worker whose token was sent."""
    return request.auth.worker if isinstance(request.auth, AccessToken) else None


def calling_person(request: Request) -> User:
    """Return the signed-in person; to be asked behind a permission that lets only persons in."""
    assert isinstance(request.user, User)
    return request.user
