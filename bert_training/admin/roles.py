"""Roles as people read them and tick them: groups are stored under English names, which a migration gives."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Field, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import Role
from bert_training.models import Team
from bert_training.models.choices import Label

NAMES: dict[str, Label] = {
    "viewer": _("viewer"),
    "trainer": _("trainer"),
    "operator": _("operator"),
    "staff": _("administrator"),
}
MEANINGS: dict[str, Label] = {
    "viewer": _("viewer: sees what is shared with the person's teams"),
    "trainer": _("trainer: also sends spreadsheets and trains"),
    "operator": _("operator: orders the queue and minds the computers, sees no texts"),
    "staff": _("administrator: changes things in the administration, together with the mark “Staff”"),
}


def role_name(group: Group) -> str:
    """Return a short name; groups that staff made keep their own."""
    return str(NAMES.get(group.name, group.name))


class RolesField(ModelMultipleChoiceField):  # type: ignore[type-arg]  # takes parameters only in the stubs
    """Roles to be ticked, each with what it allows."""

    def label_from_instance(self, obj: Group) -> str:
        """Return what the role allows."""
        return str(MEANINGS.get(obj.name, obj.name))


class RolesAndTeams(forms.Form):
    """The two lists of boxes that say what somebody may do and sees; of an invitation and of a person."""

    groups = RolesField(
        Group.objects.none(),
        label=_("Roles"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without a role the person can sign in and sees nothing."),
    )
    teams = ModelMultipleChoiceField(
        Team.objects.all(),
        label=_("Teams"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The person sees what is shared with these teams."),
    )

    def offer_roles(self, giver: User) -> QuerySet[Group]:
        """Offer the roles that somebody may give; returns them."""
        field: Any = self.fields["groups"]
        field.queryset = grantable_groups(giver)
        return grantable_groups(giver)


def grantable_groups(giver: User) -> QuerySet[Group]:
    """Return the roles that somebody may give: superusers any group, other staff those that hold roles alone."""
    if giver.is_superuser:
        return Group.objects.all()
    beyond = Permission.objects.exclude(content_type__app_label="bert_training", codename__in=[*Role])
    return Group.objects.exclude(permissions__in=beyond)


class RoleFilter(admin.RelatedFieldListFilter):
    """People of one role."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = str(_("roles"))

    def field_choices(
        self, field: "Field[Any, Any]", request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, Any]]:
        """List the roles by the names that people read."""
        return [(str(group.pk), role_name(group)) for group in Group.objects.all()]


class StaffFilter(admin.BooleanFieldListFilter):
    """Django's Portuguese calls staff "members of the team", which a team of this portal is not."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = str(_("staff"))
