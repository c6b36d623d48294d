"""Teams: who belongs to them. What is shared with them and which workers are theirs are facts."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Count, ManyToManyField, Model, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.base import PortalModelAdmin, admin_url, signed_in
from bert_training.admin.deletion import ServiceDeletion
from bert_training.admin.quotas import use_table
from bert_training.admin.roles import role_name
from bert_training.contract.enums import AuditKind
from bert_training.models import DatasetShare, RunShare, Team
from bert_training.services.quotas import uses_of_team
from bert_training.services.teams import delete_team

SHOWN_ROWS = 50
FACTS = ("shared_datasets", "shared_runs", "own_workers", "quota_use", "created")


class TeamAdmin(AuditedAdmin[Team], ServiceDeletion[Team]):
    """A member sees what is shared with the team, as far as a role allows."""

    audit_kinds = AuditKinds(AuditKind.TEAM_CREATED, AuditKind.TEAM_CHANGED, AuditKind.TEAM_DELETED)
    list_display = ("name", "member_count", "created")
    search_fields = ("name",)
    autocomplete_fields = ("members",)
    fields = ("name", "description", "members", *FACTS)
    readonly_fields = FACTS
    deletion_warning = _("What is shared with the team is no longer shared with its members. Rows and people stay.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        """Count the members along."""
        return super().get_queryset(request).annotate(people=Count("members"))

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Leave out the button that takes all members away at once: screen readers cannot tell what it is."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None:
            field.widget.is_required = True
        return field

    def delete_row(self, row: Team, by: User) -> None:
        """Delete a team for which no worker works alone."""
        delete_team(row)

    @admin.display(description=_("members"), ordering="people")
    def member_count(self, team: Team) -> int:
        """Return how many people belong to it."""
        count: int = team.people  # type: ignore[attr-defined]
        return count

    @admin.display(description=_("shared datasets"))
    def shared_datasets(self, team: Team) -> SafeString | str:
        """Lead to the datasets, with what the team may do."""
        shares = DatasetShare.objects.filter(team=team, dataset__deleted_at=None).select_related("dataset")
        return _links([(share.dataset, share.get_level_display()) for share in shares.order_by("-pk")[:SHOWN_ROWS]])

    @admin.display(description=_("shared runs"))
    def shared_runs(self, team: Team) -> SafeString | str:
        """Lead to the runs, with what the team may do."""
        shares = RunShare.objects.filter(team=team).select_related("run").order_by("-pk")
        return _links([(share.run, share.get_level_display()) for share in shares[:SHOWN_ROWS]])

    @admin.display(description=_("computers"))
    def own_workers(self, team: Team) -> SafeString | str:
        """Lead to the workers that take this team's jobs alone."""
        return _links([(worker, "") for worker in team.workers.order_by("name")[:SHOWN_ROWS]])

    @admin.display(description=_("Used now"))
    def quota_use(self, team: Team) -> SafeString:
        """Return what the members together have of each quota."""
        return use_table(uses_of_team(team))


def _links(rows: list[tuple[Model, str]]) -> SafeString | str:
    """Return each row as a link to its page, with a word behind it."""
    lines = ((admin_url(row), row, f" · {word}" if word else "") for row, word in rows)
    return format_html_join("", '<p><a href="{}">{}</a>{}</p>', lines) or "-"


class RoleAdmin(AuditedAdmin[Group], PortalModelAdmin[Group]):
    """Groups: those that a migration made are the roles. Superusers alone change what a group may do."""

    audit_kinds = AuditKinds(AuditKind.ROLE_CREATED, AuditKind.ROLE_CHANGED, AuditKind.ROLE_DELETED)
    list_display = ("role", "people")
    list_title = _("Roles")
    search_fields = ("name",)
    ordering = ("name",)
    filter_horizontal = ("permissions",)
    fields = ("name", "permissions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Count the people along."""
        return super().get_queryset(request).annotate(holders=Count("user"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Others could make a group with more rights than their own."""
        return signed_in(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Others could give a group that they hold more rights."""
        return signed_in(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Take rights away as they were given."""
        return signed_in(request).is_superuser

    @admin.display(description=_("name"), ordering="name")
    def role(self, group: Group) -> str:
        """Return the role by the name that people read."""
        return role_name(group)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Read the names of 100 permissions in one query instead of 100."""
        return super().formfield_for_manytomany(
            db_field, request, queryset=Permission.objects.select_related("content_type"), **kwargs
        )

    @admin.display(description=_("people"), ordering="holders")
    def people(self, group: Group) -> int:
        """Return how many people hold it."""
        count: int = group.holders  # type: ignore[attr-defined]
        return count
