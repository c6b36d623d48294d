"""Whose the rows of a list are: the owner, the reader's teams by which they came, and a filter by these."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bert_training import access
from bert_training.models import Dataset, DatasetShare, Run, RunShare
from bert_training.models.choices import Label

MINE, SHARED, OF_TEAM = "mine", "shared", "team-"


def whose_choices(user: User) -> list[tuple[str, Label]]:
    """List whose rows can be asked for; nothing where all that somebody sees is their own."""
    teams = [(f"{OF_TEAM}{team.pk}", team.name) for team in access.teams_visible_to(user)]
    if not teams and not access.may_administer(user):
        return []
    others = _("of others") if access.may_administer(user) else _("shared with me")
    return [(MINE, _("mine")), (SHARED, others), *teams]


def only_whose(rows: QuerySet[Any], user: User, whose: str) -> QuerySet[Any]:
    """Keep the rows that one of `whose_choices` means."""
    if whose == MINE:
        return rows.filter(owner=user)
    if whose == SHARED:
        return rows.exclude(owner=user)
    return rows.filter(shares__team=int(whose.removeprefix(OF_TEAM)))


def mark_teams(user: User, rows: Sequence[Dataset] | Sequence[Run]) -> None:
    """Give each row the names of the reader's `through_teams` by which it came; to one's own rows none."""
    others = [row for row in rows if row.owner_id != user.pk]
    names = _team_names(user, others)
    for row in rows:
        row.through_teams = names.get(row.pk, [])  # type: ignore[union-attr]


def has_others(user: User, rows: Iterable[Dataset | Run]) -> bool:
    """Tell whether a list shows rows of more than its reader, so that owners are worth a column."""
    return any(row.owner_id != user.pk for row in rows)


def _team_names(user: User, rows: Sequence[Dataset | Run]) -> dict[int, list[str]]:
    if not rows:
        return {}
    shares: Any = DatasetShare.objects if isinstance(rows[0], Dataset) else RunShare.objects
    of_row = "dataset" if isinstance(rows[0], Dataset) else "run"
    found: dict[int, list[str]] = {}
    given = shares.filter(**{f"{of_row}__in": [row.pk for row in rows]}, team__members=user.pk).order_by("team__name")
    for pk, name in given.values_list(of_row, "team__name"):
        found.setdefault(pk, []).append(name)
    return found
