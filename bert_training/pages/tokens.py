"""A person's own API tokens: list them, make one, rotate it, revoke it. By session only: no token opens a page.

A token is shown in the answer of the POST that made it and nowhere again.
"""

import math

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from bert_training import access
from bert_training.contract.enums import TokenScope
from bert_training.models import AccessToken
from bert_training.pages.requests import form_page, page, page_of, person
from bert_training.services.errors import ServiceError
from bert_training.services.tokens import issue_user_token, revoke_token, rotate_user_token
from bert_training.token_form import DAYS_BEFORE_WARNING, RotationForm, TokenForm

HOURS_A_DAY = 24


@page
def list_tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens of who asks, the newest first; those that ended stay in the list."""
    shown = page_of(request, access.tokens_of(person(request)).select_related("replaced_by"))
    for token in shown.object_list:
        token.usable = token.is_usable()
        token.may_rotate = token.usable and token.replaced_by_id is None
        token.expiry = expiry_words(token)
        token.expires_soon = token.may_rotate and _hours_left(token) < DAYS_BEFORE_WARNING * HOURS_A_DAY
    return render(request, "tokens/list.html", {"page": shown})


@form_page
@sensitive_variables("text")
def make_token(request: HttpRequest) -> HttpResponse:
    """Ask what it is for, what it may do and how long; make it and show it."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            _row, text = issue_user_token(
                person(request), label=wanted["label"], scope=TokenScope(wanted["scope"]), days=wanted["days"]
            )
        except ServiceError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _show_once(request, text)
    return render(request, "tokens/new.html", {"form": form})


@form_page
@sensitive_variables("text")
def rotate_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask how long the old token stays valid, then make the new one and show it."""
    token = get_object_or_404(access.tokens_of(person(request)), pk=pk)
    form = RotationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _row, text = rotate_user_token(token, overlap=form.cleaned_data["overlap"], days=form.cleaned_data["days"])
        except ServiceError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _show_once(request, text)
    return render(request, "tokens/rotate.html", {"form": form, "token": token})


@form_page
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then make a token useless."""
    token = get_object_or_404(access.tokens_of(person(request)), pk=pk)
    if request.method == "POST":
        revoke_token(token)
        messages.success(request, _("The token was revoked: no call with it is answered any more."))
        return redirect("pages:tokens")
    context = {
        "question": _("Revoke this token?"),
        "subject": f"{token.label} · {token}",
        "explanation": _("Programs that use it are refused from now on. This cannot be undone; make a new one."),
        "verb": _("Revoke the token"),
        "is_destructive": True,
        "back": reverse("pages:tokens"),
    }
    return render(request, "_confirm.html", context)


def expiry_words(token: AccessToken) -> str:
    """Say until when a token is valid, as a time from now."""
    if token.revoked_at is not None:
        return _("revoked")
    if token.expires_at is None:
        return _("until it is revoked")
    if not token.is_usable():
        return _("expired")
    hours = math.ceil(_hours_left(token))
    if hours <= HOURS_A_DAY:
        return ngettext("expires in %(count)d hour", "expires in %(count)d hours", hours) % {"count": hours}
    days = math.ceil(hours / HOURS_A_DAY)
    return ngettext("expires in %(count)d day", "expires in %(count)d days", days) % {"count": days}


def _hours_left(token: AccessToken) -> float:
    return (token.expires_at - timezone.now()).total_seconds() / 3600 if token.expires_at else math.inf


@sensitive_variables()  # error reports print local variables
def _show_once(request: HttpRequest, text: str) -> HttpResponse:
    """Render the token into this answer: a redirect would have to carry it somewhere."""
    response = render(request, "tokens/once.html", {"text": text, "api_url": settings.BASE_URL})
    response.headers["Cache-Control"] = "no-store"
    return response
