"""The page behind the link of an invitation: choose user name and password, once, and be signed in."""

from allauth.account.utils import perform_login
from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bert_training.contract.enums import InvitationState
from bert_training.models import Invitation
from bert_training.models.choices import Label
from bert_training.services.errors import NameTaken, ServiceError
from bert_training.services.invitations import accept_invitation, find_invitation

CLOSED: dict[InvitationState, Label] = {
    InvitationState.ACCEPTED: gettext_lazy("It was used already. Sign in with the name and password chosen then."),
    InvitationState.WITHDRAWN: gettext_lazy("It was withdrawn. Ask whoever administers the portal."),
    InvitationState.EXPIRED: gettext_lazy("It has expired. Ask whoever administers the portal for a new link."),
}


class AccountForm(UserCreationForm):  # type: ignore[type-arg]  # takes parameters only in the stubs
    """User name and password by the portal's rules, which know the person's name and address."""

    class Meta:
        model = User
        fields = ("username",)
        widgets = {"username": forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})}

    def clean_username(self) -> str:
        """Refuse the address of somebody else: people sign in by address too."""
        name: str = super().clean_username() or ""  # None beside an error
        if "@" in name and name.lower() != self.instance.email:
            raise ValidationError(_("Choose a name without @."))
        return name


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask for user name and password, make the account, sign in. GET uses nothing up: mail scanners open links."""
    invitation = find_invitation(secret)
    if invitation is None:
        raise Http404
    if invitation.state in CLOSED:
        return _closed(request, str(CLOSED[invitation.state]))
    form = AccountForm(request.POST or None, instance=_person_of(invitation))
    if request.method == "POST" and form.is_valid():
        name, password = form.cleaned_data["username"], form.cleaned_data["password1"]
        try:
            user = accept_invitation(invitation, username=name, password=password)
        except NameTaken as refusal:
            form.add_error("username", refusal.message)
        except ServiceError as refusal:
            return _closed(request, refusal.message)
        else:
            answer: HttpResponse = perform_login(request, user, redirect_url=resolve_url("pages:home"))
            return answer
    return render(request, "invitations/accept.html", {"form": form, "name": invitation.full_name})


def _person_of(invitation: Invitation) -> User:
    first_name, _space, last_name = invitation.full_name.partition(" ")
    return User(email=invitation.email, first_name=first_name, last_name=last_name)


def _closed(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "invitations/closed.html", {"reason": reason}, status=410)
