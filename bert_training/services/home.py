"""What the first page remembers of each person: since when they have not been here, and what they have put aside."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from bert_training.models import HomeVisit, PutAside
from bert_training.models.home import DecisionKind

# Who comes back sooner is still on the same visit: a reload, or a look at a run, takes nothing from the list.
SAME_VISIT = timedelta(minutes=30)
# An open page asks again every few seconds; the row is written at most this often.
NOTED_EVERY = timedelta(minutes=1)


def note_visit(user: User) -> datetime | None:
    """Note that somebody looks at the first page; returns when they last did before this visit, None = never."""
    now = timezone.now()
    visit, is_new = HomeVisit.objects.get_or_create(user=user, defaults={"opened_at": now})
    if is_new or now - visit.opened_at < NOTED_EVERY:
        return visit.since
    if now - visit.opened_at > SAME_VISIT:
        visit.since = visit.opened_at
    visit.opened_at = now
    visit.save(update_fields=["opened_at", "since"])
    return visit.since


def put_aside(user: User, kind: DecisionKind, number: int) -> None:
    """Remind somebody of this no more, until it happens anew."""
    PutAside.objects.update_or_create(user=user, kind=kind.value, number=number, defaults={"put_at": timezone.now()})
