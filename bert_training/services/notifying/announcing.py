"""Announces what was noted: finds out whom it concerns, writes their notifications, and has the rest sent.

Idempotent: an occurrence is announced in one transaction or not at all, and one row a person or webhook stands for it.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from bert_training.contract.enums import TERMINAL_STATUSES, NoticeKind
from bert_training.models import Dispatch, Notification, Occurrence, Run
from bert_training.services.notifying.choices import wishes_of
from bert_training.services.notifying.dispatches import send_later
from bert_training.services.notifying.facts import Facts, find_facts
from bert_training.services.notifying.occurrences import ANNOUNCE_FUNCTION, note_repeats_ended
from bert_training.services.notifying.recipients import recipients_of, webhooks_for

logger = logging.getLogger(__name__)

# django-q2 starts a task again for ever when its process dies in it (its issue 327).
ANNOUNCE_ATTEMPTS = 5
ATTEMPTS_WITH_FIGURES = 3  # then without: that a run has ended is told even where its figures cannot be read
OVERDUE = timedelta(minutes=2)
OVERDUE_AT_ONCE = 100


def announce(key: str) -> None:
    """Announce an occurrence; does nothing when that was done already."""
    waiting = Occurrence.objects.filter(key=key, announced_at__isnull=True)
    if not waiting.filter(attempts__lt=ANNOUNCE_ATTEMPTS).update(attempts=F("attempts") + 1):
        return
    about = ("run__job", "run__owner", "run__dataset", "run__repeat_of", "dataset__owner", "worker")
    occurrence = waiting.select_related(*about).first()
    if occurrence is None:
        return
    if occurrence.run is not None and occurrence.run.repeat_of_id is not None:
        _announce_repeat(waiting, occurrence.run)
        return
    kind, facts = find_facts(occurrence) if occurrence.attempts <= ATTEMPTS_WITH_FIGURES else (None, {})
    _tell(waiting, occurrence, kind=kind or NoticeKind(occurrence.kind), facts=facts)


def announce_overdue() -> int:
    """Have announced what lies there since its task was lost; returns how many."""
    overdue = Occurrence.objects.filter(announced_at__isnull=True, created_at__lt=timezone.now() - OVERDUE)
    keys = list(overdue.filter(attempts__lt=ANNOUNCE_ATTEMPTS).values_list("key", flat=True)[:OVERDUE_AT_ONCE])
    for key in keys:
        async_task(ANNOUNCE_FUNCTION, key)
    return len(keys)


def _tell(waiting: QuerySet[Occurrence], occurrence: Occurrence, *, kind: NoticeKind, facts: Facts) -> None:
    occurrence.kind, occurrence.facts = kind.value, facts
    people = recipients_of(occurrence)
    wishes = wishes_of(people)
    with transaction.atomic():
        if not waiting.update(announced_at=timezone.now(), kind=kind.value, facts=facts):
            return
        Notification.objects.bulk_create(
            (Notification(occurrence=occurrence, user=person) for person in people if wishes[person.pk].in_page(kind)),
            ignore_conflicts=True,
        )
        mailed = [person for person in people if person.email and wishes[person.pk].by_email(kind)]
        now = timezone.now()
        send_later(
            [Dispatch(occurrence=occurrence, user=person, next_at=now) for person in mailed]
            + [Dispatch(occurrence=occurrence, webhook=webhook, next_at=now) for webhook in webhooks_for(occurrence)]
        )
    logger.info("announced", extra={"occurrence": occurrence.pk, "event": kind.value, "people": len(people)})


def _announce_repeat(waiting: QuerySet[Occurrence], repeat: Run) -> None:
    """Tell nobody of one repeat, but of the last of them that all have ended."""
    siblings = Run.objects.filter(repeat_of=repeat.repeat_of_id, repeat_kind=repeat.repeat_kind)
    with transaction.atomic():
        if repeat.repeat_of is not None and not siblings.exclude(status__in=TERMINAL_STATUSES).exists():
            note_repeats_ended(repeat.repeat_of, repeat.repeat_kind, count=siblings.count())
        waiting.update(announced_at=timezone.now())
