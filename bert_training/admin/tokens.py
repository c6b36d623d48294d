"""Access tokens: who holds which, by their first characters; issue one for a person, revoke any; none is deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from bert_training.admin.badges import token_badge
from bert_training.admin.base import PortalModelAdmin, admin_url, link, shown_moment, signed_in
from bert_training.admin.token_page import NewToken, show_token_once
from bert_training.admin.widgets import NamedAutocomplete
from bert_training.models import AccessToken
from bert_training.services.tokens import issue_user_token, revoke_token

DAYS = 90
MAX_DAYS = 3650
FACTS = ("prefix", "badge", "holder", "created_at", "last_used_at", "expires_at", "revoked_at")


def may_receive_from(issuer: User) -> QuerySet[User]:
    """Return who may be given a token by somebody: a token acts with its holder's rights, so none above one's own."""
    people = User.objects.filter(is_active=True)
    if issuer.is_superuser:
        return people
    return people.filter(is_staff=False, is_superuser=False) | people.filter(pk=issuer.pk)


class TokenForm(forms.Form):
    """For whom, what for, how long."""

    label = forms.CharField(
        label=_("label"), max_length=100, help_text=_("What it is for, for example the name of the integration.")
    )
    days = forms.IntegerField(
        label=_("days"),
        initial=DAYS,
        min_value=1,
        max_value=MAX_DAYS,
        required=False,
        help_text=_("How long it is valid; empty = until it is revoked."),
    )

    def __init__(self, site: AdminSite, people: QuerySet[User], *args: Any) -> None:
        super().__init__(*args)
        widget = NamedAutocomplete(AccessToken._meta.get_field("user"), site)
        self.fields["user"] = forms.ModelChoiceField(label=_("user"), queryset=people, widget=widget)
        self.order_fields(["user"])


class HolderFilter(admin.SimpleListFilter):
    """Tokens of workers or of people."""

    title = _("holder")
    parameter_name = "holder"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """List the two kinds."""
        return [("worker", _("workers")), ("user", _("people"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> QuerySet[AccessToken]:
        """Keep the tokens of one kind."""
        return queryset.filter(**{f"{self.value()}__isnull": False}) if self.value() in ("worker", "user") else queryset


class RevokedFilter(admin.SimpleListFilter):
    """Tokens that were revoked, or not."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """List the two states."""
        return [("usable", _("valid")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> QuerySet[AccessToken]:
        """Keep the tokens of one state."""
        if self.value() == "usable":
            return queryset & AccessToken.objects.usable()
        return queryset.filter(revoked_at__isnull=False) if self.value() == "revoked" else queryset


class AccessTokenAdmin(PortalModelAdmin[AccessToken]):
    """The list of who has access; revoked tokens stay in it."""

    add_label = _("Issue a token for a person")
    list_display = ("shown_prefix", "badge", "holder", "label", "created", "last_used", "expires")
    list_filter = (HolderFilter, RevokedFilter)
    list_select_related = ("worker", "user")
    search_fields = ("prefix", "label", "worker__name", "user__username")
    date_hierarchy = "created_at"
    fields = ("label", *FACTS)
    readonly_fields = FACTS
    actions = ("revoke",)
    row_actions = actions

    def has_delete_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        """Tokens are revoked; the list proves who had access."""
        return False

    @sensitive_variables("text", "token")
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for whom, issue, show the token. Workers get theirs when they are registered."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = TokenForm(self.admin_site, may_receive_from(signed_in(request)), request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self._show_form(request, form)
        row, text = issue_user_token(
            form.cleaned_data["user"], label=form.cleaned_data["label"], days=form.cleaned_data["days"]
        )
        self.log_addition(request, row, gettext("Issued."))
        holder = form.cleaned_data["user"].get_username()
        token = NewToken(text, prefix=row.prefix, holder=holder, back=admin_url(row), is_worker=False)
        title = gettext("Token for %(user)s") % {"user": holder}
        return show_token_once(request, self.admin_site, token=token, title=title)

    def save_model(self, request: HttpRequest, obj: AccessToken, form: "ModelForm[AccessToken]", change: bool) -> None:
        """Write the label and nothing else."""
        obj.save(update_fields=["label"])

    def row_actions_for(self, row: AccessToken) -> tuple[str, ...]:
        """Offer to revoke what is not revoked."""
        return () if row.revoked_at else self.actions

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        """Make the chosen tokens useless from now on."""
        self.perform(request, queryset, act=revoke_token, history=gettext("Revoked."))

    @admin.display(description=_("begins with"), ordering="prefix")
    def shown_prefix(self, token: AccessToken) -> str:
        """Return the part that may be shown."""
        return f"{token.prefix}..."

    @admin.display(description=_("state"))
    def badge(self, token: AccessToken) -> SafeString:
        """Return whether it still opens the door."""
        return token_badge(token)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def last_used(self, token: AccessToken) -> str:
        """Return when it last opened the door."""
        return shown_moment(token.last_used_at)

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, token: AccessToken) -> str:
        """Return until when it is valid."""
        return shown_moment(token.expires_at)

    @admin.display(description=_("holder"))
    def holder(self, token: AccessToken) -> SafeString | str:
        """Lead to the worker or the person."""
        row = token.worker or token.user
        return link(admin_url(row), row) if row else "-"

    def _show_form(self, request: HttpRequest, form: TokenForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Issue a token for a person"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "submit_label": gettext("Issue and show the token"),
            "note": gettext("It opens the API with that person's rights and is shown on the next page, once."),
        }
        return TemplateResponse(request, "admin/bert_training/form.html", context)
