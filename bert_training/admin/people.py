"""People: who they are, their roles and teams on one page. Accounts are made by invitation, passwords by their owners.

Staff who are no superusers change people who are no staff, and themselves; they give nothing above their own rights.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.badges import badge
from bert_training.admin.base import list_url, shown_moment, signed_in
from bert_training.admin.deletion import ServiceDeletion
from bert_training.admin.person_help import HELP_ACTIONS, PersonHelp
from bert_training.admin.quotas import use_of_person
from bert_training.admin.roles import RoleFilter, RolesAndTeams, StaffFilter, grantable_groups, role_name
from bert_training.contract.enums import AuditKind
from bert_training.models import AccessToken, Dataset, Run
from bert_training.services.errors import ServiceError
from bert_training.services.people import delete_person, require_other_superuser, set_person_active
from bert_training.services.sessions import end_sessions_of

NAMES = ("username", "first_name", "last_name", "email")
POWERS = ("is_staff", "is_superuser")
LISTS = ("groups", "teams")
FACTS = ("own_permissions", "quota_use", "last_seen", "joined")


def changeable_people(giver: User) -> QuerySet[User]:
    """Return whose accounts somebody may change: nobody's whose rights go beyond their own."""
    people = User.objects.all()
    return people if giver.is_superuser else people.filter(Q(is_staff=False, is_superuser=False) | Q(pk=giver.pk))


class PersonForm(RolesAndTeams, forms.ModelForm):  # type: ignore[type-arg]  # takes parameters only in the stubs
    """Names, roles and teams. giver: who fills it in; groups that they may not give stay as they are."""

    giver: ClassVar[User]

    class Meta:
        model = User
        fields = (*NAMES, "is_active", *POWERS, "groups")
        # Django's Portuguese calls staff "members of the team", which a team of this portal is not.
        labels: ClassVar[dict[str, Any]] = {"is_staff": _("Staff"), "is_superuser": _("Superuser")}
        help_texts: ClassVar[dict[str, Any]] = {
            "is_active": _("Switched off, an account opens nothing; what the person owns stays."),
            "is_staff": _(
                "Opens the administration and shows everything in the portal. To change things there, tick the role "
                "“administrator” too."
            ),
            "is_superuser": _("May change everything in the administration, and give and take these rights."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = self.offer_roles(self.giver)
        self.initial["groups"] = list(given.filter(user=self.instance))
        self.initial["teams"] = list(self.instance.teams.all())

    def clean_username(self) -> str:
        """Refuse the name of somebody else in other letters, and their address: people sign in by these."""
        name: str = self.cleaned_data["username"]
        others = User.objects.exclude(pk=self.instance.pk)
        if others.filter(Q(username__iexact=name) | Q(email__iexact=name)).exists():
            raise ValidationError(_("This user name is taken. Choose another one."))
        return name

    def clean_email(self) -> str:
        """Refuse the address of somebody else: nobody could tell any more who is meant by it. Kept in small letters:
        the sign-in looks for these.
        """
        email: str = self.cleaned_data["email"].lower()
        if email and User.objects.exclude(pk=self.instance.pk).filter(email__iexact=email).exists():
            raise ValidationError(_("There is an account with this e-mail already."))
        return email

    def clean(self) -> dict[str, Any]:
        """Keep one superuser who can open the administration."""
        cleaned = super().clean() or self.cleaned_data
        if not all(cleaned.get(flag, getattr(self.instance, flag)) for flag in ("is_active", *POWERS)):
            try:
                require_other_superuser(self.instance)
            except ServiceError as refusal:
                raise ValidationError(refusal.message) from None
        return cleaned


class PersonAdmin(PersonHelp, AuditedAdmin[User], ServiceDeletion[User]):
    """Accounts with their roles and teams; those who own anything are switched off instead of deleted."""

    audit_kinds = AuditKinds(AuditKind.USER_CREATED, AuditKind.USER_CHANGED, AuditKind.USER_DELETED)
    add_label = _("Invite a person")
    list_title = _("People")
    form = PersonForm
    list_display = ("username", "full_name", "state", "shown_roles", "shown_teams", "last_seen")
    list_filter = ("is_active", ("is_staff", StaffFilter), "is_superuser", ("groups", RoleFilter), "teams")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    actions = ("activate", "deactivate", *HELP_ACTIONS, "delete_chosen")
    row_actions = ("activate", "deactivate", *HELP_ACTIONS)
    deletion_warning = _("Accounts that own nothing are deleted with their tokens and sessions. Others are refused.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Fetch roles and teams along."""
        return super().get_queryset(request).prefetch_related("groups", "teams")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People come by invitation."""
        return request.user.has_perm("bert_training.add_invitation")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody changes an account whose rights go beyond their own."""
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or changeable_people(signed_in(request)).filter(pk=obj.pk).exists()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody deletes themselves: who did it must be on record."""
        if not super().has_delete_permission(request, obj):
            return False
        deleter = signed_in(request)
        return obj is None or changeable_people(deleter).exclude(pk=deleter.pk).filter(pk=obj.pk).exists()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the invitation."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:bert_training_invitation_add"))

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[User]]":
        """Bind the form to who fills it in."""
        bound = type("PersonForm", (PersonForm,), {"giver": signed_in(request)})
        return super().get_form(request, obj, change, form=bound, **kwargs)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Show lists to be ticked to who may change them, in words to others."""
        may_change = self.has_change_permission(request, obj)
        lists = LISTS if may_change else ("shown_roles", "shown_teams")
        beside = () if signed_in(request).is_superuser or not may_change else ("all_groups",)
        return (*NAMES, "is_active", *POWERS, *lists, *beside, *FACTS)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Let superusers alone give the powers of staff."""
        powers = () if signed_in(request).is_superuser else POWERS
        return (*FACTS, *powers, "all_groups", "shown_roles", "shown_teams")

    def save_related(
        self, request: HttpRequest, form: "ModelForm[User]", formsets: Iterable[Any], change: bool
    ) -> None:
        """Keep the groups that the giver may not give, and write the teams."""
        kept = list(form.instance.groups.exclude(pk__in=grantable_groups(signed_in(request)).values("pk")))
        super().save_related(request, form, formsets, change)
        form.instance.groups.add(*kept)
        form.instance.teams.set(form.cleaned_data["teams"])
        if not form.instance.is_active:
            end_sessions_of(form.instance)

    def delete_row(self, row: User, by: User) -> None:
        """Delete an account that owns nothing."""
        delete_person(row)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run actions on the accounts that may be changed, and say that others were left out."""
        mine = queryset.filter(pk__in=changeable_people(signed_in(request)).values("pk"))
        return super().response_action(request, mine, *args, **kwargs)

    def row_actions_for(self, row: User) -> Iterable[str]:
        """Offer the other position of the switch."""
        return ["deactivate", *HELP_ACTIONS] if row.is_active else ["activate"]

    def row_links(self, row: User) -> list[tuple[str, str]]:
        """Lead to what the person owns."""
        return [
            (f"{list_url(Dataset)}?owner__id__exact={row.pk}", gettext("Datasets")),
            (f"{list_url(Run)}?owner__id__exact={row.pk}", gettext("Runs")),
            (f"{list_url(AccessToken)}?user__id__exact={row.pk}", gettext("Access tokens")),
        ]

    @admin.action(description=_("Switch on"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let the chosen people in again."""
        self.perform(request, queryset, act=lambda row: set_person_active(row, True), history=gettext("Activated."))

    @admin.action(description=_("Switch off"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Shut the chosen people out at once."""
        self.perform(request, queryset, act=lambda row: set_person_active(row, False), history=gettext("Deactivated."))

    @admin.action(description=_("Delete"), permissions=["delete"])
    def delete_chosen(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponseBase | None:
        """Ask, then delete the chosen accounts, never one's own."""
        if queryset.filter(pk=signed_in(request).pk).exists():
            messages.error(request, gettext("Nobody deletes their own account."))
        return super().delete_chosen(request, queryset.exclude(pk=signed_in(request).pk))

    @admin.display(description=_("full name"))
    def full_name(self, person: User) -> str:
        """Return first and last name."""
        return person.get_full_name() or "-"

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, person: User) -> SafeString:
        """Return whether the account opens, and whether it administers."""
        if not person.is_active:
            return badge("neutral", gettext("deactivated"))
        if person.is_superuser:
            return badge("warning", gettext("superuser"))
        return badge("info", gettext("staff")) if person.is_staff else badge("success", gettext("active"))

    @admin.display(description=_("roles"))
    def shown_roles(self, person: User) -> str:
        """List the groups."""
        return ", ".join(role_name(group) for group in person.groups.all()) or "-"

    @admin.display(description=_("teams"))
    def shown_teams(self, person: User) -> str:
        """List the teams."""
        return ", ".join(team.name for team in person.teams.all()) or "-"

    @admin.display(description=_("all groups"))
    def all_groups(self, person: User) -> str:
        """List every group to who cannot give all of them."""
        return self.shown_roles(person)

    @admin.display(description=_("rights beside the roles"))
    def own_permissions(self, person: User) -> str:
        """List permissions that the account holds by itself: they count too."""
        return ", ".join(sorted(person.user_permissions.values_list("codename", flat=True))) or "-"

    @admin.display(description=_("Used now"))
    def quota_use(self, person: User) -> SafeString:
        """Return what the person has of each quota."""
        return use_of_person(person)

    @admin.display(description=_("last sign-in"), ordering="last_login")
    def last_seen(self, person: User) -> str:
        """Return when the person signed in last."""
        return shown_moment(person.last_login)

    @admin.display(description=_("account since"), ordering="date_joined")
    def joined(self, person: User) -> str:
        """Return when the account was made."""
        return shown_moment(person.date_joined)
