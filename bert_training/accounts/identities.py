"""Who of the portal is meant by an identity of the OpenID Connect provider. Nobody registers by coming from there."""

import logging
import re
from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from bert_training.accounts.oidc_client import OidcProvider, OneHost, configured_provider
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record
from bert_training.services.errors import ServiceError
from bert_training.services.frequent_events import record_refusal
from bert_training.services.invitations import accept_invitation, free_username, open_invitation_for

logger = logging.getLogger(__name__)

NOT_IN_NAMES = re.compile(r"[^\w.+-]")
NAME_CHARACTERS = 100


class IdentityAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The hooks of allauth around a sign-in at the provider."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> OidcProvider:
        """Return the one provider that the settings name."""
        return configured_provider(request)

    def get_requests_session(self) -> requests.Session:
        """Return what may call the provider's host alone."""
        return OneHost()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Let nobody register."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the person: by the identity, else by the verified address; else an open invitation makes the account."""
        if sociallogin.is_existing:
            return
        with transaction.atomic():
            person = _person_for(request, sociallogin)
            sociallogin.connect(request, person)
            record(AuditKind.IDENTITY_LINKED, actor=person, target=person)

    def on_authentication_error(self, request: HttpRequest, provider: OidcProvider, **told: Any) -> None:
        """Say that it did not work; the log says why, without anything of the provider's answer."""
        exception = told.get("exception")
        record_refusal(AuditKind.SIGN_IN_FAILED, step="openid_connect")  # anybody can open the address, and again
        logger.warning("sign-in at the provider failed", extra={"error": type(exception).__name__ if exception else ""})
        words = _("Signing in at %(name)s did not work. Try again, or ask whoever administers the portal.")
        raise ImmediateHttpResponse(_refuse(request, words % {"name": settings.OIDC_NAME}, status=400))


def _person_for(request: HttpRequest, sociallogin: SocialLogin) -> User:
    """Return the person with the verified address. Addresses are set by staff alone, so they can be trusted here."""
    address = sociallogin.email_addresses[0]
    if not address.verified or not address.email:
        raise _refusal(request, _("%(name)s has not verified your e-mail address, so the portal cannot know you."))
    people = list(User.objects.filter(email__iexact=address.email)[:2])
    if len(people) == 1 and people[0].is_active and _are_one(people[0].email, address.email):
        return people[0]
    invitation = None if people else open_invitation_for(address.email)
    if invitation is None or not _are_one(invitation.email, address.email):
        raise _refusal(
            request, _("There is no account with the e-mail address that %(name)s told. Ask for an invitation.")
        )
    wanted = sociallogin.preferred_username or address.email
    name = NOT_IN_NAMES.sub("", wanted.partition("@")[0])[:NAME_CHARACTERS] or "user"
    try:
        return accept_invitation(invitation, username=free_username(name), password=None)
    except ServiceError as refusal:
        raise _refusal(request, refusal.message) from refusal


def _are_one(address: str, verified: str) -> bool:
    """Tell whether two addresses are one: A is a. PostgreSQL takes an i without its dot for I too: somebody else's."""
    return address.encode().lower() == verified.encode().lower()


def _refusal(request: HttpRequest, words: str) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(_refuse(request, words % {"name": settings.OIDC_NAME}, status=403))


def _refuse(request: HttpRequest, words: str, *, status: int) -> HttpResponse:
    return render(request, "account/identity_refused.html", {"reason": words}, status=status)
