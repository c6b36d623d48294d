"""Signing in at the OpenID Connect provider: there, and back. Neither address exists where none is configured."""

from typing import Any

import requests
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from bert_training.accounts.oidc_client import OidcAdapter, configured_provider, nonce_of

STATE_CHARACTERS = 43
# A provider that is away, says what is not allowed, or answers in another form than the standard's.
BROKEN = (OAuth2Error, requests.RequestException, KeyError, TypeError, ValueError, AttributeError)


@never_cache
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider by a page: the policy of the form lets it go no further than to this host."""
    if not settings.OIDC_SERVER_URL:
        raise Http404
    provider = configured_provider(request)
    state = get_random_string(STATE_CHARACTERS)
    try:
        answer: HttpResponse = provider.redirect(
            request,
            AuthProcess.LOGIN,
            next_url=get_next_redirect_url(request),
            state_id=state,
            auth_params={"nonce": nonce_of(state)},
        )
    except BROKEN as error:
        return _failed(request, error)
    return render(request, "account/leave_for_provider.html", {"url": answer["Location"], "name": provider.name})


@never_cache
@require_GET
def finish(request: HttpRequest) -> HttpResponseBase:
    """Take the provider's answer: allauth checks the state, asks for the tokens, and goes on as after a password."""
    if not settings.OIDC_SERVER_URL:
        raise Http404
    try:
        answer: HttpResponseBase = OAuth2CallbackView.adapter_view(OidcAdapter(request))(request)
    except BROKEN as error:
        return _failed(request, error)
    return answer


def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    response: Any = render_authentication_error(request, configured_provider(request), exception=error)
    assert isinstance(response, HttpResponse)
    return response
