"""The pages of accounts around the password: allauth's views with the portal's forms and templates."""

from typing import Any

from allauth.account import views as account_views
from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _

from bert_training.accounts.forms import AdminSignInForm, NewPasswordForm, SignInForm
from bert_training.accounts.open_sessions import end_other_sessions, end_session, open_sessions
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record
from bert_training.services.second_factors import lacks_second_factor


class SignIn(account_views.LoginView):  # type: ignore[misc]
    """Asks for name and password; somebody who is signed in already goes on."""

    template_name = "account/sign_in.html"

    def get_form_class(self) -> type[SignInForm]:
        """Take the portal's form."""
        return SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say which other ways in there are."""
        ways = {"oidc_name": settings.OIDC_SERVER_URL and settings.OIDC_NAME, "has_email": settings.HAS_EMAIL}
        return {**super().get_context_data(**kwargs), "other_ways": ways}


class AdminSignIn(SignIn):
    """The admin's own form: the same limits and the same second factor, so that it is no way round them."""

    template_name = "admin/login.html"

    def get_form_class(self) -> type[SignInForm]:
        """Let in staff only."""
        return AdminSignInForm

    def get_default_success_url(self) -> str:
        """Stay in the admin."""
        return reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Give Django's template the name by which it knows where to go on."""
        return {**super().get_context_data(**kwargs), "next": self.get_success_url()}


class SignOut(account_views.LogoutView):  # type: ignore[misc]
    """Ends the session; POST only, so that no link can do it."""

    http_method_names = ["post", "options"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Let the browser forget the pages too: the next one at this computer shall not read them by going back."""
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache"'
        return response


class ChangePassword(account_views.PasswordChangeView):  # type: ignore[misc]
    """Changes the password, and signs the person out everywhere else."""

    template_name = "account/change_password.html"
    success_url = reverse_lazy("pages:account")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Serve only who has a password: others come from another service, which keeps theirs."""
        if not isinstance(request.user, User) or not request.user.has_usable_password():
            raise Http404(_("Your account has no password here."))
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_form_class(self) -> type[NewPasswordForm]:
        """Take the portal's form."""
        return NewPasswordForm

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        """Change it; allauth keeps this session, and the password's own change ends the others."""
        response: HttpResponse = super().form_valid(form)
        record(AuditKind.PASSWORD_CHANGED, target=self.request.user)
        end_other_sessions(self.request)
        return response


class ConfirmPassword(account_views.ReauthenticateView):  # type: ignore[misc]
    """Asks for the password once more before something delicate."""

    template_name = "account/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say too why staff who owe a second factor are led here from every page."""
        return {**super().get_context_data(**kwargs), "owes_second_factor": lacks_second_factor(self.request.user)}


def sessions(request: HttpRequest) -> HttpResponse:
    """List where the person is signed in; POST end=<number> or end=others signs out there."""
    if request.method == "POST":
        wanted = request.POST.get("end", "")
        if wanted == "others":
            end_other_sessions(request)
        elif wanted.isascii() and wanted.isdecimal():
            end_session(request, int(wanted))
        return redirect("usersessions_list")
    return render(request, "account/sessions.html", {"sessions": open_sessions(request)})
