"""The addresses of accounts, under the names that allauth looks up. What is not listed here does not exist.

Left out on purpose: self-registration, changing and confirming e-mail addresses, signing in by code or passkey, and
looking at recovery codes a second time.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bert_training.accounts import oidc_views, password_reset_views, two_factor_views, views

form = require_http_methods(["GET", "HEAD", "POST"])


def own(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let only people who are signed in open a page of their account, and keep it nowhere."""
    return never_cache(login_required(form(view)))


urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="account_login"),
    path("sign-in/code", two_factor_views.SignInCode.as_view(), name="mfa_authenticate"),
    path("sign-in/provider", oidc_views.start, name="oidc-start"),
    path("sign-in/provider/back", oidc_views.finish, name="oidc-callback"),
    path("password-reset", never_cache(form(password_reset_views.ask_for_link)), name="password-reset-ask"),
    path(
        "password-reset/<str:uidb64>/<str:token>",
        password_reset_views.ChooseNewPassword.as_view(),
        name="password-reset",
    ),
    path("sign-out", views.SignOut.as_view(), name="account_logout"),
    path("account/password", own(views.ChangePassword.as_view()), name="account_change_password"),
    path("account/confirm", own(views.ConfirmPassword.as_view()), name="account_reauthenticate"),
    path("account/confirm/code", own(two_factor_views.ConfirmCode.as_view()), name="mfa_reauthenticate"),
    path("account/sessions", own(views.sessions), name="usersessions_list"),
    path("account/two-factor", own(two_factor_views.TwoFactor.as_view()), name="mfa_index"),
    path("account/two-factor/app", own(two_factor_views.SetUpApp.as_view()), name="mfa_activate_totp"),
    path(
        "account/two-factor/app/remove",
        own(two_factor_views.RemoveApp.as_view()),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/two-factor/recovery-codes",
        own(two_factor_views.NewRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
]
