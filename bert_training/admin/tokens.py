"""Access tokens: who holds which, by their first characters; issue one for a person, revoke any; none is deleted."""

from collections.abc import Sequence
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
from bert_training.admin.base import PortalModelAdmin, admin_url, chosen_rows, link, list_url, shown_moment, signed_in
from bert_training.admin.confirming import CONFIRMED, Question, ask
from bert_training.admin.token_page import NewToken, show_token_once
from bert_training.admin.widgets import NamedAutocomplete
from bert_training.contract.enums import TokenScope
from bert_training.models import AccessToken
from bert_training.services.errors import ServiceError
from bert_training.services.tokens import issue_user_token, revoke_token
from bert_training.token_form import TokenForm, days_field

MOST_DAYS = 3650
FACTS = ("prefix", "badge", "holder", "scope", "created_at", "last_used_at", "expires_at", "revoked_at", "replaced_by")


def may_receive_from(issuer: User) -> QuerySet[User]:
    """Return who may be given a token by somebody: a token acts with its holder's rights, so none above one's own."""
    people = User.objects.filter(is_active=True)
    if issuer.is_superuser:
        return people
    return people.filter(is_staff=False, is_superuser=False) | people.filter(pk=issuer.pk)


class IssueForm(TokenForm):
    """For whom as well, and as long as staff think right."""

    days = days_field(required=False, most=MOST_DAYS)

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
        return [("worker", _("computers")), ("user", _("people"))]

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
    list_display = ("shown_prefix", "badge", "holder", "scope", "label", "last_used", "expires")
    list_filter = (HolderFilter, RevokedFilter, "scope")
    list_select_related = ("worker", "user", "replaced_by")
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
        form = IssueForm(self.admin_site, may_receive_from(signed_in(request)), request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self._show_form(request, form)
        wanted = form.cleaned_data
        try:
            row, text = issue_user_token(
                wanted["user"], label=wanted["label"], scope=TokenScope(wanted["scope"]), days=wanted["days"]
            )
        except ServiceError as refusal:
            form.add_error("user", refusal.message)
            return self._show_form(request, form)
        self.log_addition(request, row, gettext("Issued."))
        holder = wanted["user"].get_username()
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
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> HttpResponse | None:
        """Ask, then make the chosen tokens useless from now on."""
        if CONFIRMED in request.POST:
            self.perform(request, queryset, act=revoke_token, history=gettext("Revoked."))
            return None
        rows = chosen_rows(request, queryset.select_related("worker", "user"))
        return self._ask(request, rows) if rows else None

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

    def _ask(self, request: HttpRequest, rows: Sequence[AccessToken]) -> HttpResponse:
        question = Question(
            title=gettext("Revoke access tokens?"),
            warning=gettext(
                "Programs and workers that use them are refused from now on. This cannot be undone; make new ones."
            ),
            verb=gettext("Yes, revoke"),
            back=list_url(AccessToken),
            action="revoke",
            lines=[f"{row} · {row.worker or row.user} · {row.label}".rstrip(" ·") for row in rows],
        )
        return ask(request, self.admin_site, question, rows=rows)

    def _show_form(self, request: HttpRequest, form: IssueForm) -> HttpResponse:
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
