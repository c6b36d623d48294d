"""The forms of accounts that ask for a password: signing in, changing it."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm
from allauth.account.utils import perform_login
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from bert_training.accounts.adapter import WRONG_SIGN_IN

NAME_LENGTH = 254  # of an e-mail address


class SignInForm(forms.Form):
    """Name and password; what is wrong with them is not told."""

    username = forms.CharField(
        label=_("User name or e-mail address"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def clean(self) -> dict[str, Any]:
        """Look for the person; a deactivated one is as unknown as nobody. Raises LockedOut."""
        if not self.errors:
            self.user = get_adapter().authenticate(self.request, **self.cleaned_data)
            if self.user is None or not self.is_welcome(self.user):
                raise ValidationError(WRONG_SIGN_IN, code="invalid_login")
        return self.cleaned_data

    def is_welcome(self, user: User) -> bool:
        """Tell whether whoever has the right password may come in here."""
        return user.is_active

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Sign in, or go on to the second factor."""
        response: HttpResponse = perform_login(request, self.user, redirect_url=redirect_url)
        return response


class AdminSignInForm(SignInForm):
    """The admin's own form lets in only whom the admin is for."""

    def is_welcome(self, user: User) -> bool:
        """Tell whether somebody is staff too."""
        return super().is_welcome(user) and user.is_staff


class NewPasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """The password of today, and a new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = " ".join(password_validators_help_texts())
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)  # it would say the label once more

    def clean_oldpassword(self) -> str:
        """Count a wrong one as at the sign-in: a session left open is no way to guess it. Raises LockedOut."""
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("enter_current_password")
        return password
