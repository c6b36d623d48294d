"""Invitations: nobody registers alone. Staff say who, with which roles, in which teams, and see the link once."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from bert_training.admin.badges import badge
from bert_training.admin.base import PortalModelAdmin, admin_url, shown_moment, signed_in
from bert_training.admin.link_page import NewLink, show_link_once
from bert_training.admin.roles import RolesAndTeams, grantable_groups, role_name
from bert_training.contract.enums import InvitationState
from bert_training.models import Invitation
from bert_training.models.choices import Label
from bert_training.models.invitation import FULL_NAME_CHARACTERS
from bert_training.services.errors import ServiceError
from bert_training.services.invitations import (
    VALID_DAYS,
    InvitationRequest,
    invite,
    mail_invitation,
    renew_invitation,
    withdraw_invitation,
)

MAX_DAYS = 30
STATES: dict[InvitationState, tuple[str, Label]] = {
    InvitationState.OPEN: ("info", _("not used yet")),
    InvitationState.EXPIRED: ("warning", _("expired")),
    InvitationState.WITHDRAWN: ("neutral", _("withdrawn")),
    InvitationState.ACCEPTED: ("success", _("used")),
}
FACTS = ("email", "full_name", "badge", "roles", "in_teams", "is_staff", "invited_by", "created", "expires", "account")


def may_hand_over(user: User, invitation: Invitation) -> bool:
    """Tell whether somebody may see the link: who has it could use it, so it gives nothing above their own rights."""
    if user.is_superuser:
        return True
    above = invitation.groups.exclude(pk__in=grantable_groups(user).values("pk"))
    return not invitation.is_staff and not above.exists()


class InvitationForm(RolesAndTeams):
    """Whom to invite, and what the account may do."""

    email = forms.EmailField(label=_("e-mail"), max_length=254, widget=forms.EmailInput(attrs={"class": "vTextField"}))
    full_name = forms.CharField(
        label=_("full name"),
        max_length=FULL_NAME_CHARACTERS,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        validators=[RegexValidator(r"[\x00-\x1f\x7f]", _("Write the name in one line."), inverse_match=True)],
    )
    is_staff = forms.BooleanField(
        label=_("staff"), required=False, help_text=_("Administers the portal and sees everything in it.")
    )
    days = forms.IntegerField(
        label=_("days"), initial=VALID_DAYS, min_value=1, max_value=MAX_DAYS, help_text=_("How long the link is valid.")
    )

    field_order = ("email", "full_name", "groups", "teams", "is_staff", "days")

    def __init__(self, inviter: User, *args: Any) -> None:
        super().__init__(*args)
        self.offer_roles(inviter)
        if not inviter.is_superuser:
            del self.fields["is_staff"]

    def request(self) -> InvitationRequest:
        """Return what was filled in."""
        return InvitationRequest(**{"is_staff": False, **self.cleaned_data})


class StateFilter(admin.SimpleListFilter):
    """Invitations that still wait for somebody, or do not."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """List the states."""
        return [(state.value, words) for state, (_colour, words) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        """Keep the invitations of one state."""
        kept = {
            InvitationState.OPEN: Invitation.objects.open(),
            InvitationState.EXPIRED: Invitation.objects.expired(),
            InvitationState.WITHDRAWN: Invitation.objects.filter(withdrawn_at__isnull=False),
            InvitationState.ACCEPTED: Invitation.objects.filter(accepted_at__isnull=False),
        }
        value = self.value()
        return queryset & kept[InvitationState(value)] if value in set(InvitationState) else queryset


class InvitationAdmin(PortalModelAdmin[Invitation]):
    """Invitations stay in the list: it tells who let whom in."""

    add_label = _("Invite a person")
    list_display = ("full_name", "email", "badge", "invited_by", "created", "expires")
    list_filter = (StateFilter,)
    list_select_related = ("invited_by",)
    search_fields = ("email", "full_name")
    date_hierarchy = "created_at"
    fields = readonly_fields = FACTS
    is_read_only = True  # what may be done stands on buttons
    actions = ("withdraw", "new_link")
    row_actions = actions

    def get_urls(self) -> list[URLPattern]:
        """Add the page that makes a new link."""
        view = self.admin_site.admin_view(self.new_link_view)
        return [path("<int:pk>/new-link/", view, name="bert_training_invitation_new_link"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """Invitations are withdrawn."""
        return False

    @sensitive_variables("secret")
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask whom, invite, show the link."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = InvitationForm(signed_in(request), request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                row, secret = invite(form.request(), by=signed_in(request))
            except ServiceError as refusal:
                form.add_error("email", refusal.message)
            else:
                self.log_addition(request, row, gettext("Invited."))
                return self._show_link(request, row, secret)
        return self._show_form(request, form)

    @sensitive_variables("secret")
    def new_link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then make a new link in place of the old one and show it."""
        row = self.get_queryset(request).filter(pk=pk).first()
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row) or not may_hand_over(signed_in(request), row):
            raise PermissionDenied
        if request.method == "POST":
            try:
                secret = renew_invitation(row)
            except ServiceError as refusal:
                messages.error(request, refusal.message)
                return HttpResponseRedirect(admin_url(row))
            self.log_change(request, row, gettext("New link made."))
            return self._show_link(request, row, secret)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Make a new link for %(person)s?") % {"person": row.full_name},
            "opts": self.opts,
            "note": gettext(
                "The link that was made before stops working. The new one is shown on the next page, once."
            ),
            "submit_label": gettext("Make a new link"),
            "form": forms.Form(),
        }
        return TemplateResponse(request, "admin/bert_training/form.html", context)

    def row_actions_for(self, row: Invitation) -> Iterable[str]:
        """Offer what is still possible."""
        return self.row_actions if row.state in (InvitationState.OPEN, InvitationState.EXPIRED) else ()

    @admin.action(description=_("Withdraw"), permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Let the chosen invitations make no account any more."""
        self.perform(request, queryset, act=withdraw_invitation, history=gettext("Withdrawn."))

    @admin.action(description=_("New link"), permissions=["change"])
    def new_link(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> HttpResponse | None:
        """Lead to the page that asks first; a link is shown for one person."""
        rows = list(queryset[:2])
        if len(rows) != 1:
            messages.error(request, gettext("Choose one invitation: its new link is shown once, on a page of its own."))
            return None
        return HttpResponseRedirect(reverse("admin:bert_training_invitation_new_link", args=[rows[0].pk]))

    @admin.display(description=_("state"))
    def badge(self, row: Invitation) -> SafeString:
        """Return what became of it, in its colour."""
        return badge(*STATES[row.state])

    @admin.display(description=_("roles"))
    def roles(self, row: Invitation) -> str:
        """List the roles that the account gets."""
        return ", ".join(role_name(group) for group in row.groups.all()) or "-"

    @admin.display(description=_("teams"))
    def in_teams(self, row: Invitation) -> str:
        """List the teams that the account joins."""
        return ", ".join(team.name for team in row.teams.all()) or "-"

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, row: Invitation) -> str:
        """Return until when the link is valid."""
        return shown_moment(row.expires_at)

    @admin.display(description=_("account"))
    def account(self, row: Invitation) -> str:
        """Return the user name of the account that was made."""
        person = row.accepted_by
        return person.get_username() if person else "-"

    def _show_form(self, request: HttpRequest, form: InvitationForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Invite a person"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "submit_label": gettext("Invite and show the link"),
            "note": gettext("With the link the person chooses a user name and a password, once."),
        }
        return TemplateResponse(request, "admin/bert_training/form.html", context)

    @sensitive_variables()
    def _show_link(self, request: HttpRequest, row: Invitation, secret: str) -> HttpResponse:
        url = invitation_url(secret)
        new = NewLink(url, email=row.email, delivery=mail_invitation(row, url), back=admin_url(row))
        title = gettext("Invitation for %(person)s") % {"person": row.full_name}
        return show_link_once(request, self.admin_site, link=new, title=title)


def invitation_url(secret: str) -> str:
    """Return the address that a person opens."""
    return settings.BASE_URL + reverse("pages:invitation", args=[secret])
