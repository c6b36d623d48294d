"""The middleware that says where a call comes from: services record what is done in its name (services.audit).

It also notes who was refused, whatever door they stood at: by 403, or by hiding a row that is there.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from bert_training.access import NotVisible
from bert_training.client_address import client_address
from bert_training.contract.enums import AuditKind
from bert_training.models import AccessToken
from bert_training.services.frequent_events import record_refusal
from bert_training.services.origin import Caller, Origin, calling_from
from portal.logs import current_request_id

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class NoteOrigin:
    """Keeps the call's id, address and maker at hand for as long as it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = Origin(current_request_id(), client_address(request), find_caller=lambda: find_caller(request))
        with calling_from(origin):
            response = self.get_response(request)
            note_refusal(request, response)
            return response

    def process_exception(self, _request: HttpRequest, exception: Exception) -> None:
        """Note that a page hid a row; the API says so where it turns exceptions into answers."""
        if isinstance(exception, NotVisible):
            record_refusal(AuditKind.ACCESS_DENIED, target=exception.row, status=404)


def note_origin(get_response: Callable[[HttpRequest], HttpResponse]) -> NoteOrigin:
    """Name the middleware in settings as the others."""
    return NoteOrigin(get_response)


def find_caller(request: HttpRequest) -> Caller:
    """Return who calls, by session or by token: the API writes what it found on the request below its own."""
    token = getattr(request, "auth", None)
    person = request.user if isinstance(request.user, User) and request.user.is_authenticated else None
    if not isinstance(token, AccessToken):
        return Caller(person)
    return Caller(person, token.worker, token.prefix)


def note_refusal(request: HttpRequest, response: HttpResponseBase) -> None:
    """Note an answer that refuses: which address it was, by the name of its route and the number of its row."""
    if response.status_code == 403:
        record_refusal(AuditKind.ACCESS_DENIED, status=403, **asked_for(request))


def asked_for(request: HttpRequest) -> dict[str, Any]:
    """Return method, name of the route and number of the row; nothing that the caller could make a text of."""
    asked: dict[str, Any] = {"method": request.method} if request.method in METHODS else {}
    match = request.resolver_match
    if match is None or not match.url_name:
        return asked
    row = str(match.kwargs.get("pk") or match.kwargs.get("object_id") or "")
    if row.isascii() and row.isdecimal() and len(row) < 19:
        asked["row"] = int(row)
    return asked | {"route": match.view_name}
