"""How much a person, and a team as a whole, may keep and use. Nobody is exempt; what is exceeded refuses new work only.

A person has what the settings say, or what staff have set for them; a team has limits where staff have set some, and
its use is that of its members together (services.quota_use counts). New work needs room with its owner and in all
teams of theirs.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import ErrorCode, QuotaKind
from bert_training.models import Dataset, Quota, Run, Team
from bert_training.services.errors import QuotaExceeded
from bert_training.services.origin import current_origin
from bert_training.services.quota_use import month_of, used_by


@dataclass(frozen=True)
class Holder:
    """A person alone, or a team with its members. limits: None = as much as wanted."""

    name: str
    is_team: bool
    members: frozenset[int]
    limits: Mapping[QuotaKind, int | None]

    def __str__(self) -> str:
        return _("The team %(name)s") % {"name": self.name} if self.is_team else self.name


@dataclass(frozen=True)
class Use:
    """How much of one quota its holder has. resets_at: when it begins anew, for what is counted a month."""

    holder: Holder
    kind: QuotaKind
    used: int
    resets_at: datetime | None = None

    @property
    def limit(self) -> int | None:
        """How much the holder may have, None for as much as wanted."""
        return self.holder.limits[self.kind]

    @property
    def team(self) -> str | None:
        """The name of the team that holds it, None for a person's own."""
        return self.holder.name if self.holder.is_team else None


def uses_of(user: User) -> list[Use]:
    """Return all quotas of a person and of those of their teams that have any. Eight queries, however many rows."""
    return _uses(_holders_of(user))


def uses_of_team(team: Team) -> list[Use]:
    """Return the use of a team, with its limits where it has any."""
    members = frozenset(team.members.values_list("pk", flat=True))
    row = Quota.objects.filter(team=team).first()
    return _uses([_team_holder(team, row, members)])


def require_room(dataset: Dataset) -> None:
    """Raise QuotaExceeded when this new dataset may not be kept beside those that are there."""
    holders = _holders_of(dataset.owner)
    _require(holders, QuotaKind.DATASETS, 1)
    _require(holders, QuotaKind.STORAGE_BYTES, dataset.upload_bytes + dataset.table_bytes)


def require_turns(run: Run, count: int = 1) -> None:
    """Raise QuotaExceeded when so many runs like this may not enter the queue, or no GPU minutes are left for them."""
    holders = _holders_of(run.owner)
    _require(holders, QuotaKind.QUEUED_RUNS, count)
    if not run.simulate:
        _require(holders, QuotaKind.GPU_MINUTES, 1)


def queue_at_quota(owner: User) -> None:
    """Let one piece of new work after the other pass, inside a transaction: parallel ones would all find room.

    To be called before any other row is locked: owner, then teams in order, so that nobody waits in a circle.
    """
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    limited = Quota.objects.select_for_update(no_key=True, of=("self",)).filter(team__members=owner).order_by("pk")
    list(limited)


def _uses(holders: list[Holder]) -> list[Use]:
    everybody = frozenset(member for holder in holders for member in holder.members)
    used = {kind: used_by(kind, everybody) for kind in QuotaKind}
    return [_use(holder, kind, used[kind]) for holder in holders for kind in QuotaKind]


def _use(holder: Holder, kind: QuotaKind, used: Mapping[int, int]) -> Use:
    total = sum(used.get(member, 0) for member in holder.members)
    if kind is not QuotaKind.GPU_MINUTES:
        return Use(holder, kind, total)
    return Use(holder, kind, total // 60, resets_at=month_of(timezone.now())[1])


def _holders_of(user: User) -> list[Holder]:
    """Return the person, and their teams that have limits."""
    found = Quota.objects.filter(Q(user=user) | Q(team__members=user)).select_related("team")
    rows = list(found.order_by("team__name"))
    own = next((row for row in rows if row.user_id == user.pk), None)
    limits = {kind: _or_default(own, kind) for kind in QuotaKind}
    person = Holder(user.get_username(), is_team=False, members=frozenset({user.pk}), limits=limits)
    return [person, *_team_holders([row for row in rows if row.team_id is not None])]


def _team_holders(rows: list[Quota]) -> Iterator[Holder]:
    members: dict[int, set[int]] = {}
    if rows:
        belonging = Team.members.through.objects.filter(team__in=[row.team_id for row in rows])
        for team_id, user_id in belonging.values_list("team_id", "user_id"):
            members.setdefault(team_id, set()).add(user_id)
    for row in rows:
        if row.team is not None:
            yield _team_holder(row.team, row, members.get(row.team.pk, set()))


def _team_holder(team: Team, row: Quota | None, members: Iterable[int]) -> Holder:
    limits = {kind: row.limit(kind) if row else None for kind in QuotaKind}
    return Holder(team.name, is_team=True, members=frozenset(members), limits=limits)


def _or_default(row: Quota | None, kind: QuotaKind) -> int | None:
    own = row.limit(kind) if row else None
    if own is not None:
        return own
    defaults = {
        QuotaKind.DATASETS: settings.DATASETS_PER_USER,
        QuotaKind.STORAGE_BYTES: settings.DATASET_BYTES_PER_USER,
        QuotaKind.QUEUED_RUNS: settings.QUEUED_RUNS_PER_USER or None,
        QuotaKind.GPU_MINUTES: settings.GPU_MINUTES_PER_USER or None,
    }
    return defaults[kind]


def _require(holders: list[Holder], kind: QuotaKind, wanted: int) -> None:
    limited = [holder for holder in holders if holder.limits[kind] is not None]
    if not limited:
        return
    used = used_by(kind, frozenset(member for holder in limited for member in holder.members))
    for use in (_use(holder, kind, used) for holder in limited):
        if use.limit is not None and use.used + wanted > use.limit:
            raise _refusal(use, wanted)


def _refusal(use: Use, wanted: int) -> QuotaExceeded:
    facts: dict[str, Any] = {"quota": use.kind.value}
    message = _("The owner of this run has no room for more. Ask them, or reproduce it as your own.")
    if _concerns_caller(use.holder):
        facts |= {"team": use.team, "limit": use.limit, "used": use.used, "wanted": wanted}
        message = _sentence(use, wanted)
    if use.resets_at is not None:
        facts["resets_at"] = use.resets_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        facts["retry_after"] = math.ceil((use.resets_at - timezone.now()).total_seconds())
    return QuotaExceeded(ErrorCode.QUOTA_EXCEEDED, message, **facts)


def _concerns_caller(holder: Holder) -> bool:
    """Tell whether who calls may know what a holder has: somebody who repeats a shared run asks for room of others."""
    caller = current_origin().find_caller().person
    return caller is None or caller.pk in holder.members or access.may_administer(caller)


def _sentence(use: Use, wanted: int) -> str:
    """Say whose limit it is, how much of it is used, and what to do."""
    words: dict[str, Any] = {"holder": str(use.holder), "limit": use.limit, "used": use.used, "wanted": wanted}
    if use.kind is QuotaKind.DATASETS:
        message = _(
            "%(holder)s may keep %(limit)s datasets and has %(used)s. Delete some that are not needed any more."
        )
    elif use.kind is QuotaKind.STORAGE_BYTES:
        message = _(
            "%(holder)s may store %(limit)s and has stored %(used)s; this needs %(wanted)s more. "
            "Delete datasets that are not needed any more."
        )
        words |= {name: filesizeformat(words[name]) for name in ("limit", "used", "wanted")}
    elif use.kind is QuotaKind.QUEUED_RUNS:
        message = _(
            "%(holder)s may have %(limit)s runs in the queue and has %(used)s; this would add %(wanted)s. "
            "Wait until some have begun, or cancel some."
        )
    else:
        message = _(
            "%(holder)s may use %(limit)s GPU minutes a month and has used %(used)s. "
            "New runs can be started again from %(date)s on."
        )
        words["date"] = date_format(use.resets_at, "SHORT_DATE_FORMAT") if use.resets_at else ""
    return message % words
