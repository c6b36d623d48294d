"""The pages of the second factor. Recovery codes are shown once, in the answer to the form that made them."""

from typing import Any

from allauth.account.stages import LoginStageController
from allauth.mfa.base import views as base_views
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.recovery_codes.internal import flows as recovery_flows
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp import views as totp_views
from allauth.mfa.totp.internal import flows as totp_flows
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from bert_training.accounts.code_forms import AppForm, ConfirmCodeForm, SignInCodeForm
from bert_training.accounts.open_sessions import end_other_sessions
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record
from bert_training.services.second_factors import has_second_factor, is_required_of


class SignInCode(base_views.AuthenticateView):  # type: ignore[misc]
    """Asks for a code after the password."""

    template_name = "account/sign_in_code.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Begin anew where the factor was switched off meanwhile: allauth would send the browser round in circles."""
        stage = LoginStageController.enter(request, AuthenticateStage.key)
        if stage is not None and not has_second_factor(stage.login.user):
            abandoned: HttpResponseBase = stage.abort()
            return abandoned
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_form_class(self) -> type[SignInCodeForm]:
        """Take the form that counts."""
        return SignInCodeForm


class ConfirmCode(base_views.ReauthenticateView):  # type: ignore[misc]
    """Asks for a code in place of the password before something delicate."""

    template_name = "account/confirm.html"

    def get_form_class(self) -> type[ConfirmCodeForm]:
        """Take the form that counts."""
        return ConfirmCodeForm


class TwoFactor(base_views.IndexView):  # type: ignore[misc]
    """Says whether the second factor is on, and what can be done about it."""

    template_name = "account/two_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say too how many recovery codes are left."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        codes = context["authenticators"].get(Authenticator.Type.RECOVERY_CODES)
        left = len(codes.get_unused_codes()) if codes else 0
        return {**context, "codes_left": left, "is_required": is_required_of(self.request.user)}


class SetUpApp(totp_views.ActivateTOTPView):  # type: ignore[misc]
    """Shows the code to scan and asks for the first code of the app."""

    template_name = "account/two_factor_app.html"

    def get_form_class(self) -> type[AppForm]:
        """Take the form that counts."""
        return AppForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say too whether it is required."""
        return {**super().get_context_data(**kwargs), "is_required": is_required_of(self.request.user)}

    def form_valid(self, form: AppForm) -> HttpResponse:
        """Switch it on, end the sessions that began without it, and show the recovery codes."""
        _totp, recovery_codes = totp_flows.activate_totp(self.request, form)
        record(AuditKind.TWO_FACTOR_ON, target=self.request.user)
        end_other_sessions(self.request)
        if recovery_codes is None:  # they were there: somebody deleted the app alone
            return redirect("mfa_index")
        return show_codes(self.request, recovery_codes, _("Your second factor is on."))


class RemoveApp(totp_views.DeactivateTOTPView):  # type: ignore[misc]
    """Switches the second factor off, where it is not required."""

    template_name = "account/two_factor_remove.html"

    def form_valid(self, form: Form) -> HttpResponse:
        """Switch it off."""
        response: HttpResponse = super().form_valid(form)
        record(AuditKind.TWO_FACTOR_OFF, target=self.request.user)
        return response


class NewRecoveryCodes(recovery_views.GenerateRecoveryCodesView):  # type: ignore[misc]
    """Makes new recovery codes; the old ones end."""

    template_name = "account/recovery_codes_new.html"

    def form_valid(self, form: Form) -> HttpResponse:
        """Make and show them."""
        made = recovery_flows.generate_recovery_codes(self.request)
        record(AuditKind.RECOVERY_CODES_MADE, target=self.request.user)
        return show_codes(self.request, made, _("You have new recovery codes."))


def show_codes(request: HttpRequest, recovery_codes: Authenticator, lead: str) -> HttpResponse:
    """Show the codes, for this once; allauth's messages would only repeat it."""
    list(messages.get_messages(request))
    context = {"codes": recovery_codes.wrap().get_unused_codes(), "lead": lead}
    return render(request, "account/recovery_codes.html", context)
