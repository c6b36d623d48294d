"""What the portal decides otherwise than allauth: no self-registration, where to go next, what is counted and noted."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from bert_training.accounts.lockout import Attempt, at_password
from bert_training.client_address import client_address
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record

SILENT = frozenset({"account/messages/logged_in.txt", "account/messages/logged_out.txt"})  # the page itself says it
WRONG_SIGN_IN = _("Name and password do not match an account.")
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound to it
# In the session, seconds since 1970.
SIGNED_IN_AT = "signed_in_at"  # portal.sessions ends it by this
SEEN_AT = "seen_at"  # the last use that was noted (accounts.middleware)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The hooks of allauth that the portal fills. Every password and every new session goes through here."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody registers by themselves: staff invite."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Go on to this very host only, never to another one that the portal answers to."""
        hosts = {self.request.get_host()}
        return url_has_allowed_host_and_scheme(url, allowed_hosts=hosts, require_https=self.request.is_secure())

    def is_ajax(self, request: HttpRequest) -> bool:
        """Answer with pages only; programs have the API."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address for the list of sessions; a request over a Unix socket has none."""
        return client_address(request) or NO_ADDRESS

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try before it is judged; raises LockedOut."""
        name = credentials.get("username", "")
        self._attempt = Attempt(at_password(request, name), lambda: find_tried(name))

    def _rollback_login_failed_rl_usage(self) -> None:
        """Take the count back: allauth calls this when the password was right."""
        self._attempt.forgive()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note it; of a name that does not exist only that: it may be a password in the wrong field."""
        record(AuditKind.SIGN_IN_FAILED, target=find_tried(credentials.get("username", "")), step="password")

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin a session, once all that was asked for is right."""
        super().login(request, user)
        request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = time.time()
        record(AuditKind.SIGNED_IN, actor=user)

    def logout(self, request: HttpRequest) -> None:
        """End the session."""
        record(AuditKind.SIGNED_OUT)
        super().logout(request)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Answer a deactivated person as one who does not exist."""
        messages.error(request, str(WRONG_SIGN_IN))
        return HttpResponseRedirect(reverse("pages:sign-in"))

    def add_message(self, request: HttpRequest, level: int, *message: Any, **more: Any) -> None:
        """Spare people the messages that say what they see."""
        if SILENT.isdisjoint(text for text in message if isinstance(text, str)):
            super().add_message(request, level, *message, **more)


def find_tried(name: str) -> User | None:
    """Return whose name or e-mail address was typed at a sign-in."""
    by_name: User | None = get_user_by_username(name)
    return by_name or next(iter(filter_users_by_email(name, for_login=True)), None)
