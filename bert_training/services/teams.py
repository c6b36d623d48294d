"""Deletes teams. Who belongs to one is written by the admin's form; what is shared with one, by `sharing`."""

from django.db import transaction
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, ErrorCode
from bert_training.models import Team
from bert_training.services.audit import record
from bert_training.services.errors import InUse


def delete_team(team: Team) -> None:
    """Delete a team with its shares. Raises InUse while workers are bound to it: unbound they would take any job."""
    with transaction.atomic():
        Team.objects.select_for_update().filter(pk=team.pk).first()  # a worker that is being bound to it waits
        if team.workers.exists():
            message = _("Computers work for this team alone: give them another team first.")
            raise InUse(ErrorCode.IN_USE, message)
        record(AuditKind.TEAM_DELETED, target=team, did="deleted")
        team.delete()
