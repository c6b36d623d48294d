"""The pages of accounts: allauth's views with the portal's forms and templates."""

from typing import Any

from allauth.account import views as account_views
from django.urls import reverse

from bert_training.accounts.forms import AdminSignInForm, SignInForm


class SignIn(account_views.LoginView):  # type: ignore[misc]
    """Asks for name and password; somebody who is signed in already goes on."""

    template_name = "account/sign_in.html"

    def get_form_class(self) -> type[SignInForm]:
        """Take the portal's form."""
        return SignInForm


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
