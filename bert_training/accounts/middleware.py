"""What accounts do around every request: the lockout's answer, the second factor that staff owe, the session's life."""

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from bert_training.accounts.adapter import SEEN_AT
from bert_training.accounts.lockout import LockedOut
from bert_training.contract.limits import API_PREFIX
from bert_training.services.second_factors import lacks_second_factor

GetResponse = Callable[[HttpRequest], HttpResponse]

# All that somebody who still owes a second factor may open.
OPEN_BEFORE = ("mfa_activate_totp", "account_reauthenticate", "account_logout", "pages:language")
SEEN_SECONDS = 300  # how old the last noted use may be: a session in use costs two writes in this time


class LockoutAnswer:
    """Answers 429 wherever a password or code was tried too often."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a lockout; anything else goes on to Django's own handling."""
        if not isinstance(exception, LockedOut):
            return None
        minutes = -(-exception.retry_after // 60)
        response = render(request, "account/locked_out.html", {"minutes": minutes}, status=429)
        response["Retry-After"] = str(exception.retry_after)
        response["Cache-Control"] = "no-store"
        return response


def require_second_factor(get_response: GetResponse) -> GetResponse:
    """Lead staff who owe a second factor to it before anything else; calls of the API by session are refused."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User) or not lacks_second_factor(request.user):
            return get_response(request)
        if request.path in {reverse(name) for name in OPEN_BEFORE}:
            return get_response(request)
        if request.path.startswith(f"{API_PREFIX}/"):
            if "Authorization" not in request.headers:
                raise PermissionDenied
            return get_response(request)  # a token stands alone: the session that came with it is not looked at
        return HttpResponseRedirect(reverse("mfa_activate_totp"))

    return middleware


def keep_session(get_response: GetResponse) -> GetResponse:
    """Let the idle time of a session begin anew with its use, noted at most every SEEN_SECONDS."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # What an open page asks for by itself (fetch, EventSource) is no use of a person's.
        if request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and isinstance(request.user, User):
            _note_use(request)
        return get_response(request)

    return middleware


def _note_use(request: HttpRequest) -> None:
    now = time.time()
    if now - request.session.get(SEEN_AT, now) >= SEEN_SECONDS:
        request.session[SEEN_AT] = now
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())
