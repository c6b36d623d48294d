"""Puts the queue into another order: an entry goes up, down, first or last, or gets another priority.

The order is priority, turn, age (`Job.objects.in_queue_order`). An entry that moves takes the priority of its new
neighbour; others change only where they had the same turn, and then by as little as keeps the order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, ErrorCode, JobStatus
from bert_training.models import Job
from bert_training.services.audit import record
from bert_training.services.errors import ServiceError
from bert_training.services.transactions import short_transaction

MOST_PRIORITY = 1000  # and least, with a minus


class Move(StrEnum):
    """Where an entry of the queue goes."""

    FIRST = "first"
    UP = "up"
    DOWN = "down"
    LAST = "last"


@dataclass
class Place:
    """An entry of the queue with what its place depends on."""

    pk: int
    priority: int
    turn: int

    @property
    def key(self) -> tuple[int, int, int]:
        """Sorts as the queue does."""
        return -self.priority, self.turn, self.pk


@short_transaction
def move_job(job_id: int, move: Move) -> None:
    """Move an entry; the first cannot go up, and stays. Raises ServiceError not_found."""
    order = [Place(*values) for values in Job.objects.in_queue_order().values_list("pk", "priority", "turn")]
    index = next((index for index, place in enumerate(order) if place.pk == job_id), None)
    if index is None:
        raise _not_waiting()
    wanted = {Move.FIRST: 0, Move.UP: max(index - 1, 0), Move.DOWN: index + 1, Move.LAST: len(order) - 1}[move]
    if index == wanted or wanted == len(order):
        return
    before = {place.pk: place.key for place in order}
    order.insert(wanted, order.pop(index))
    _settle(order, wanted, went_up=wanted < index)
    for place in sorted(order, key=lambda place: place.pk):
        if place.key != before[place.pk]:
            _write(place.pk, priority=place.priority, turn=place.turn)
    record(AuditKind.QUEUE_REORDERED, target=Job(pk=job_id), move=move)


@short_transaction
def set_priority(job_id: int, priority: int) -> None:
    """Give an entry another priority: higher goes first. Raises ServiceError not_found."""
    if not _write(job_id, priority=priority):
        raise _not_waiting()
    record(AuditKind.QUEUE_REORDERED, target=Job(pk=job_id), priority_after=priority)


def place_of(job_id: int) -> dict[str, int]:
    """Return where an entry stands now: job, position (1 = the next), priority. Raises ServiceError not_found."""
    job = Job.objects.filter(pk=job_id, status=JobStatus.QUEUED).first()
    if job is None:
        raise _not_waiting()
    ahead = Q(priority__gt=job.priority) | Q(priority=job.priority) & (
        Q(turn__lt=job.turn) | Q(turn=job.turn, pk__lt=job.pk)
    )
    position = Job.objects.filter(ahead, status=JobStatus.QUEUED).count() + 1
    return {"job": job.pk, "position": position, "priority": job.priority}


def _write(pk: int, **changes: int) -> int:
    """Change an entry unless a worker has taken it meanwhile."""
    return Job.objects.filter(pk=pk, status=JobStatus.QUEUED).update(**changes)


def _not_waiting() -> ServiceError:
    message = _("This run does not wait any more: it was taken by a computer, or has ended.")
    return ServiceError(ErrorCode.NOT_FOUND, message, http_status=404)


def _settle(order: list[Place], index: int, *, went_up: bool) -> None:
    """Give the entry at `index` priority and turn that keep it there, and push those behind it as far as needed."""
    place = order[index]
    before = order[index - 1] if index else None
    if went_up:
        behind = order[index + 1]
        place.priority, place.turn = behind.priority, behind.turn - (place.pk > behind.pk)
    if before is not None and not (went_up and before.key < place.key):
        place.priority, place.turn = before.priority, before.turn + (place.pk < before.pk)
    for ahead, following in _pairs(order, index):
        if ahead.key < following.key:
            return
        following.turn = ahead.turn + (following.pk < ahead.pk)


def _pairs(order: list[Place], index: int) -> Iterator[tuple[Place, Place]]:
    return zip(order[index:], order[index + 1 :], strict=False)
