"""Who is told what: owners what becomes of their rows, operators what computers need, staff what the house needs."""

from collections.abc import Iterable
from enum import Enum

from django.contrib.auth.models import User
from django.db.models import Q

from bert_training import access
from bert_training.contract.enums import NoticeKind, Role
from bert_training.models import AccessToken, Occurrence, RunShare, Webhook


class Circle(Enum):
    """Who is told about a kind."""

    OWNER = "owner"
    HOLDER = "holder"
    OPERATORS = "operators"
    STAFF = "staff"


CIRCLES = {
    NoticeKind.RUN_COMPLETED: Circle.OWNER,
    NoticeKind.RUN_DECISION: Circle.OWNER,
    NoticeKind.RUN_FAILED: Circle.OWNER,
    NoticeKind.RUN_CANCELED: Circle.OWNER,
    NoticeKind.REPEATS_ENDED: Circle.OWNER,
    NoticeKind.DATASET_READY: Circle.OWNER,
    NoticeKind.DATASET_REFUSED: Circle.OWNER,
    NoticeKind.TOKEN_EXPIRING: Circle.HOLDER,
    NoticeKind.WORKER_SILENT: Circle.OPERATORS,
    NoticeKind.WORKER_TOKEN_EXPIRING: Circle.OPERATORS,
    NoticeKind.DISK_FULL: Circle.OPERATORS,
    NoticeKind.ERASURE_WAITING: Circle.STAFF,
    NoticeKind.WEBHOOK_OFF: Circle.STAFF,
}


def kinds_for(user: User) -> list[NoticeKind]:
    """Return what somebody may be told about now, as their roles are now."""
    belongs_to = {
        Circle.OWNER: access.may_read(user),
        Circle.HOLDER: True,
        Circle.OPERATORS: access.may_operate(user),
        Circle.STAFF: access.may_administer(user),
    }
    return [kind for kind, circle in CIRCLES.items() if belongs_to[circle]]


def recipients_of(occurrence: Occurrence) -> list[User]:
    """Return whom to tell, without those who have done it themselves or may not see it any more."""
    kind = NoticeKind(occurrence.kind)
    circle = CIRCLES.get(kind)
    people: Iterable[User | None] = ()
    if circle is Circle.OPERATORS:
        people = access.people_with(Role.OPERATE)
    elif circle is Circle.STAFF:
        people = access.administrators()
    elif circle is not None:
        people = [_owner_of(occurrence, kind)]
    return [person for person in people if person is not None and person.is_active and kind in kinds_for(person)]


def webhooks_for(occurrence: Occurrence) -> list[Webhook]:
    """Return the webhooks that hear of it now; those of a team of runs that are shared with it alone."""
    if occurrence.run is not None and occurrence.run.is_example:
        return []
    teams = RunShare.objects.filter(run=occurrence.run).values("team") if occurrence.run else []
    reached = Webhook.objects.filter(Q(team__isnull=True) | Q(team__in=teams), active=True)
    return [webhook for webhook in reached if occurrence.kind in webhook.kinds]


def _owner_of(occurrence: Occurrence, kind: NoticeKind) -> User | None:
    if kind is NoticeKind.TOKEN_EXPIRING and occurrence.number is not None:
        token = AccessToken.objects.select_related("user").filter(pk=occurrence.number).first()
        return token.user if token else None
    if occurrence.run is None:
        return occurrence.dataset.owner if occurrence.dataset and occurrence.dataset.deleted_at is None else None
    owner = occurrence.run.owner
    is_own_doing = kind is NoticeKind.RUN_CANCELED and occurrence.run.job.cancel_requested_by_id == owner.pk
    return None if is_own_doing else owner
