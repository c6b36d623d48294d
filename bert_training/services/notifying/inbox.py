"""What somebody finds in the page: what is new, what was read, and what is old enough to go."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from bert_training import access
from bert_training.models import Dispatch, Notification, Occurrence
from bert_training.services.notifying.recipients import kinds_for

MOST_COUNTED = 100
KEPT = timedelta(days=90)
DELIVERIES_KEPT = timedelta(days=30)
DELETED_AT_ONCE = 5000


def inbox_of(user: User) -> QuerySet[Notification]:
    """Return what somebody is told, the newest first; of what they may not see any more nothing."""
    told = access.notifications_of(user).filter(occurrence__kind__in=kinds_for(user))
    return told.select_related("occurrence__run", "occurrence__dataset", "occurrence__worker").order_by("-id")


def unread_count(user: User) -> int:
    """Count what is new, up to MOST_COUNTED. One query."""
    unread = access.notifications_of(user).filter(read_at__isnull=True, occurrence__kind__in=kinds_for(user))
    return unread.order_by()[:MOST_COUNTED].count()


def mark_read(told: QuerySet[Notification]) -> int:
    """Note that these were read; returns how many were new."""
    return Notification.objects.filter(pk__in=told.values("pk"), read_at__isnull=True).update(read_at=timezone.now())


def forget_old_notifications() -> int:
    """Delete what was told over 90 days ago, and the log of deliveries after 30 days; returns how many rows went."""
    now = timezone.now()
    old_deliveries = Dispatch.objects.filter(created_at__lt=now - DELIVERIES_KEPT).order_by("pk")
    old = Occurrence.objects.filter(created_at__lt=now - KEPT).order_by("pk")
    return sum(_delete_in_parts(rows) for rows in (old_deliveries, old))


def _delete_in_parts(rows: QuerySet[Dispatch] | QuerySet[Occurrence]) -> int:
    deleted = 0
    while pks := list(rows.values_list("pk", flat=True)[:DELETED_AT_ONCE]):
        deleted += rows.model._default_manager.filter(pk__in=pks).delete()[0]
    return deleted
