"""The middleware that says where a call comes from: services record what is done in its name (services.audit)."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from bert_training.client_address import client_address
from bert_training.models import AccessToken
from bert_training.services.origin import Caller, Origin, calling_from
from portal.logs import current_request_id


def note_origin(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep the call's id, address and maker at hand for as long as it is answered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        origin = Origin(current_request_id(), client_address(request), find_caller=lambda: find_caller(request))
        with calling_from(origin):
            return get_response(request)

    return middleware


def find_caller(request: HttpRequest) -> Caller:
    """Return who calls, by session or by token: the API writes what it found on the request below its own."""
    token = getattr(request, "auth", None)
    person = request.user if isinstance(request.user, User) and request.user.is_authenticated else None
    if not isinstance(token, AccessToken):
        return Caller(person)
    return Caller(person, token.worker, token.prefix)
