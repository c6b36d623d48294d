"""Sends what is on its way: each e-mail and each call once, again with growing patience where it was in vain.

Whoever begins an attempt first moves its next one away in one statement, so no second process begins it too. A process
that dies in the middle leaves an attempt of which nobody knows whether it arrived: it is made again, under the same
number, by which a receiver knows it again (Message-ID, Portal-Delivery).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from bert_training.contract.enums import DispatchFailure, DispatchState, NoticeKind
from bert_training.models import Dispatch

logger = logging.getLogger(__name__)

SEND_FUNCTION = "bert_training.background.send_dispatch"

# Seconds after an attempt in vain; then it is given up.
PATIENCE = (60, 300, 1800, 7200, 6 * 3600)
# What waiting does not mend.
FINAL = frozenset(
    {
        DispatchFailure.HOST_NOT_ALLOWED,
        DispatchFailure.NO_ADDRESS,
        DispatchFailure.SECRET_UNREADABLE,
        DispatchFailure.SWITCHED_OFF,
    }
)
# After it an attempt of which nothing was heard counts as broken off; above what django-q2 gives a task (300 s).
ATTEMPT_SECONDS = 600
OVERDUE = timedelta(minutes=1)  # a task that waits its turn is not doubled
OVERDUE_AT_ONCE = 200


@dataclass(frozen=True)
class Try:
    """One attempt. status: what a webhook answered, 0 where it did not.  failure: None when it arrived."""

    status: int = 0
    milliseconds: int = 0
    failure: DispatchFailure | None = None

    def as_dict(self) -> dict[str, object]:
        """Return it for the log of deliveries."""
        return {
            "at": timezone.now().isoformat(),
            "status": self.status,
            "ms": self.milliseconds,
            "failure": self.failure.value if self.failure else "",
        }


def send_later(dispatches: Sequence[Dispatch]) -> None:
    """Store new dispatches of one occurrence and have them sent; called in a transaction."""
    if not dispatches:
        return
    Dispatch.objects.bulk_create(dispatches, ignore_conflicts=True)
    stored = Dispatch.objects.filter(occurrence=dispatches[0].occurrence, state=DispatchState.PENDING)
    for pk in stored.values_list("pk", flat=True):
        async_task(SEND_FUNCTION, pk)


def send_overdue() -> int:
    """Have sent what is due again, or was never begun since its task was lost; returns how many."""
    overdue = Dispatch.objects.filter(state=DispatchState.PENDING, next_at__lt=timezone.now() - OVERDUE)
    pks = list(overdue.order_by("next_at").values_list("pk", flat=True)[:OVERDUE_AT_ONCE])
    for pk in pks:
        async_task(SEND_FUNCTION, pk)
    return len(pks)


def begin(pk: int) -> Dispatch | None:
    """Return a dispatch that is due, for this caller alone; None for one that is not, or is under way elsewhere."""
    now = timezone.now()
    due = Dispatch.objects.filter(pk=pk, state=DispatchState.PENDING, next_at__lte=now)
    if not due.update(attempts=F("attempts") + 1, next_at=now + timedelta(seconds=ATTEMPT_SECONDS)):
        return None
    about = ("webhook", "user", "occurrence__run__job", "occurrence__run__dataset", "occurrence__worker")
    dispatch = Dispatch.objects.select_related(*about).get(pk=pk)
    if dispatch.attempts <= len(PATIENCE) + 1:
        return dispatch
    settle(dispatch, Try(failure=DispatchFailure.BROKEN_OFF))  # each attempt ended with its process
    return None


def settle(dispatch: Dispatch, made: Try) -> None:
    """Note what came of an attempt, and when the next one is."""
    is_over = made.failure in FINAL or dispatch.attempts > len(PATIENCE) or dispatch.occurrence.kind == NoticeKind.TEST
    state = DispatchState.PENDING
    if made.failure is None:
        state = DispatchState.SENT
    elif is_over:
        state = DispatchState.FAILED
    wait = PATIENCE[min(dispatch.attempts, len(PATIENCE)) - 1]
    dispatch.state, dispatch.tries = state.value, [*dispatch.tries, made.as_dict()]
    Dispatch.objects.filter(pk=dispatch.pk, attempts=dispatch.attempts, state=DispatchState.PENDING).update(
        state=dispatch.state, next_at=timezone.now() + timedelta(seconds=wait), tries=dispatch.tries
    )
    facts = {"dispatch": dispatch.pk, "attempt": dispatch.attempts, "failure": made.failure}
    logger.info("dispatch attempted", extra=facts)
