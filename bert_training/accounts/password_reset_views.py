"""A new password for who forgot theirs: asking for a link, where the portal can mail one, and using it.

A new password ends all sessions, and switches off no second factor.
"""

import hashlib
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training.client_address import client_address
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record
from bert_training.services.errors import RateLimited
from bert_training.services.password_links import mail_links_later
from bert_training.services.rate_limits import Limit, limit_address, take

EMAIL_CHARACTERS = 254


class AddressForm(forms.Form):
    """The address of an account."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=EMAIL_CHARACTERS,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


def ask_for_link(request: HttpRequest) -> HttpResponse:
    """Ask for an address and answer the same whether there is an account or not; only where mails are sent."""
    if not settings.HAS_EMAIL:
        raise Http404
    form = AddressForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/password_reset_ask.html", {"form": form})
    email = form.cleaned_data["email"].lower()
    try:
        limit_address(Limit.PASSWORD_LINKS, client_address(request))
    except RateLimited as refusal:
        form.add_error(None, refusal.message)
        response = render(request, "account/password_reset_ask.html", {"form": form}, status=429)
        response["Retry-After"] = str(refusal.extra["retry_after"])
        return response
    # Nobody's mail box is filled by others; and nobody learns from the answer whose box would be.
    if take(Limit.MAILED_LINKS, hashlib.sha256(email.encode()).hexdigest()).wait_seconds == 0:
        mail_links_later(email)
    return render(request, "account/password_reset_ask.html", {"is_sent": True})


class ChooseNewPassword(PasswordResetConfirmView):
    """Opens the link: Django keeps its secret in the session and shows the form at an address without it."""

    template_name = "account/password_reset.html"
    success_url = reverse_lazy("pages:sign-in")

    def get_user(self, uidb64: str) -> User | None:
        """Return the person of the link; a deactivated one is nobody."""
        person = super().get_user(uidb64)
        return person if isinstance(person, User) and person.is_active else None

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:  # type: ignore[type-arg]
        """Set the password; with its hash all sessions end."""
        response = super().form_valid(form)
        record(AuditKind.PASSWORD_RESET, target=form.user)
        messages.success(self.request, _("Your password is set. Sign in with it."))
        return response

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        """Say by the status too when the link opens nothing any more."""
        response = super().render_to_response(context, **more)
        response.status_code = 200 if context["validlink"] else 410
        return response
