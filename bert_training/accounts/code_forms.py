"""The forms that ask for a code of the second factor. Wrong ones are counted, and a right one holds once."""

from typing import Any

from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.forms import Form

from bert_training.accounts.lockout import Attempt, at_code
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record


class CountedCode(Form):
    """A code that has been counted before it is judged."""

    user: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = self.fields["code"].widget.attrs
        attributes.pop("placeholder", None)  # it would say the label once more
        attributes.update(inputmode="numeric", autofocus=True)

    def clean_code(self) -> str:
        """Return the code; raises ValidationError when it is wrong or was used, LockedOut after too many."""
        attempt = Attempt(at_code(context.request, self.user), lambda: self.user)
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            self.use_up(code)
        except ValidationError:
            record(AuditKind.SIGN_IN_FAILED, target=self.user, step="code")
            raise
        attempt.forgive()
        return code

    def use_up(self, code: str) -> None:
        """Let a code hold once for as long as the clock could show it: allauth forgets it after one period of three."""
        seconds = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
        digits = "".join(filter(str.isalnum, code))
        if not cache.add(f"code-used:{self.user.pk}:{digits}", True, timeout=seconds):
            raise get_adapter().validation_error("incorrect_code")


class SignInCodeForm(CountedCode, AuthenticateForm):  # type: ignore[misc]
    """After the password, at the sign-in."""


class ConfirmCodeForm(CountedCode, ReauthenticateForm):  # type: ignore[misc]
    """Before something delicate, in place of the password."""


class AppForm(CountedCode, ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app that is being set up."""
