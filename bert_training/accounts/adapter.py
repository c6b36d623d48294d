"""What the portal decides otherwise than allauth: no self-registration, where to go next, which messages are shown."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from bert_training.accounts.address import address_of

SILENT = frozenset({"account/messages/logged_in.txt", "account/messages/logged_out.txt"})  # the page itself says it
WRONG_SIGN_IN = _("Name and password do not match an account.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The hooks of allauth that the portal fills."""

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
        """Return the address that the session's row and the limits know."""
        return address_of(request)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Answer a deactivated person as one who does not exist."""
        messages.error(request, str(WRONG_SIGN_IN))
        return HttpResponseRedirect(reverse("pages:sign-in"))

    def add_message(self, request: HttpRequest, level: int, *message: Any, **more: Any) -> None:
        """Spare people the messages that say what they see."""
        if SILENT.isdisjoint(text for text in message if isinstance(text, str)):
            super().add_message(request, level, *message, **more)
