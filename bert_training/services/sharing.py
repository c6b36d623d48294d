"""Shares datasets and runs with teams. Who may share a row is asked before, at access.py; with which teams, here.

A share counts from its commit on: the next question to access.py finds it, or finds it gone.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import AuditKind, ErrorCode, ShareLevel
from bert_training.models import Dataset, DatasetShare, Run, RunShare
from bert_training.services.audit import record
from bert_training.services.errors import ServiceError
from bert_training.services.transactions import short_transaction


class InvalidShare(ServiceError):
    """A row cannot be shared as asked; `errors` names each field."""


@short_transaction
def share_with(row: Dataset | Run, levels: Mapping[int, ShareLevel], *, actor: User) -> None:
    """Share a row with exactly these teams (by id), each at its level; what was shared before and is not named ends.

    A team that the actor does not belong to may be kept as it is or taken away, never added or given another level.
    Raises InvalidShare, which calls the n-th team `shares.n.team`.
    """
    kind, link = _link_to(row)
    locked = type(row)._default_manager.select_for_update(no_key=True)  # of two lists at once the second waits
    if locked.filter(pk=row.pk).first() is None:
        raise ServiceError(ErrorCode.NOT_FOUND, _("It was deleted meanwhile."), http_status=404)
    before = dict(kind.objects.filter(**link).values_list("team", "level"))
    changed = {team: level for team, level in levels.items() if before.get(team) != level}
    _require_known_teams([*levels], {*changed}, actor)
    withdrawn = before.keys() - levels.keys()
    kind.objects.filter(**link, team__in=withdrawn).delete()
    for team, level in changed.items():
        kind.objects.update_or_create(**link, team_id=team, defaults={"level": level.value})
        record(AuditKind.SHARED, actor=actor, target=row, team=team, level=level)
    for team in withdrawn:
        record(AuditKind.UNSHARED, actor=actor, target=row, team=team)


def _link_to(row: Dataset | Run) -> tuple[Any, dict[str, Any]]:
    """Return the table of shares of a row and what leads from it to the row. Raises InvalidShare for a repeat."""
    if isinstance(row, Dataset):
        return DatasetShare, {"dataset": row}
    if row.repeat_of_id is not None:
        message = _("This run is a repeat and goes with run %(id)s: share that one.") % {"id": row.repeat_of_id}
        raise InvalidShare(ErrorCode.INVALID_FIELD, message, errors=[{"path": "shares", "message": message}])
    return RunShare, {"run": row}


def _require_known_teams(named: list[int], changed: set[int], actor: User) -> None:
    known = set(access.teams_visible_to(actor).filter(pk__in=changed).values_list("pk", flat=True))
    words = _("There is no team %(id)s, or you are not in it.")
    errors = [
        {"path": f"shares.{place}.team", "message": words % {"id": team}}
        for place, team in enumerate(named)
        if team in changed - known
    ]
    if errors:
        raise InvalidShare(ErrorCode.INVALID_FIELD, errors[0]["message"], errors=errors)
