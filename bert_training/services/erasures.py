"""Follows a deletion to every copy: the files in the store, and the computers that worked with the data.

A deletion notes in its own transaction where copies are; the store is cleared after the commit and again every day
until nothing is left; a computer is told at each heartbeat until it confirms, however long it was away.
"""

import logging
from collections.abc import Collection, Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind, ErasureKind, ErrorCode
from bert_training.contract.limits import FORGETS_PER_HEARTBEAT
from bert_training.contract.messages import Forget
from bert_training.contract.text import clean_text
from bert_training.models import Dataset, Erasure, ErasureCopy, JobAttempt, Run, Worker
from bert_training.models.worker import machine_of
from bert_training.services import audit
from bert_training.services.errors import ServiceError
from bert_training.services.stored_files import is_cleared

logger = logging.getLogger(__name__)

REASON_CHARACTERS = 500

Machine = tuple[int | None, str, str]  # number of the worker, its name, the computer


def note_dataset_erasure(dataset: Dataset, *, by: User | None, stored: Iterable[str]) -> Erasure:
    """Note that a dataset is deleted, in the transaction that does it and before its runs' rows go.

    stored: places in the store that must become empty. A computer counts that held a job on it, also one whose run was
    deleted before.
    """
    erasure = _note(dataset, ErasureKind.DATASET, name=dataset.name, owner=dataset.owner_id, by=by, stored=stored)
    _note_copies(erasure, machines_with(dataset))
    return erasure


def machines_with(dataset: Dataset) -> set[Machine]:
    """Return the computers that have worked with a dataset: they may keep copies of it."""
    earlier = ErasureCopy.objects.filter(erasure__dataset_number=dataset.pk)
    still_known = _machines(JobAttempt.objects.filter(job__run__dataset=dataset))
    name_now = Coalesce("worker__name", "worker_name")  # a renamed worker is the same computer
    return still_known | set(earlier.values_list("worker", name_now, "machine"))


def note_run_erasure(run: Run, *, by: User | None, stored: Iterable[str]) -> Erasure:
    """Note that a run is deleted with its repeats, in the transaction that does it and before the rows go."""
    numbers = sorted(Run.objects.filter(Q(pk=run.pk) | Q(repeat_of=run.pk)).values_list("pk", flat=True))
    erasure = _note(run.dataset, ErasureKind.RUN, name=run.name, owner=run.owner_id, by=by, stored=stored, runs=numbers)
    _note_copies(erasure, _machines(JobAttempt.objects.filter(job__run__in=numbers)))
    return erasure


def _note(
    dataset: Dataset,
    kind: ErasureKind,
    *,
    name: str,
    owner: int,
    by: User | None,
    stored: Iterable[str],
    runs: Collection[int] = (),
) -> Erasure:
    erasure = Erasure.objects.create(
        kind=kind.value,
        name=name,
        dataset_number=dataset.pk,
        sha256=dataset.sha256,
        table_sha256=dataset.table_sha256,
        run_numbers=list(runs),
        owner_id=owner,
        deleted_by=by,
        stored=list(stored),
    )
    transaction.on_commit(lambda: clear_store(erasure))
    return erasure


def _machines(attempts: QuerySet[JobAttempt]) -> set[Machine]:
    real = attempts.filter(worker__is_example=False)
    found = real.order_by().values_list("worker", "worker__name", "instance").distinct()
    return {(worker, name, machine_of(instance)) for worker, name, instance in found}


def _note_copies(erasure: Erasure, machines: set[Machine]) -> None:
    ErasureCopy.objects.bulk_create(
        ErasureCopy(erasure=erasure, worker_id=worker, worker_name=name, machine=machine)
        for worker, name, machine in sorted(machines, key=str)
    )


# --- the store ----------------------------------------------------------------------------------------------------


def clear_store(erasure: Erasure) -> None:
    """Delete what lies in the store, and note what could not be deleted: clear_stores tries that again."""
    left = [place for place in erasure.stored if not is_cleared(place)]
    Erasure.objects.filter(pk=erasure.pk).update(stored=left)
    erasure.stored = left
    if left:
        logger.error("deleted data are still in the store", extra={"erasure": erasure.pk, "places": len(left)})


def clear_stores() -> int:
    """Try again where something was left in the store; returns how many deletions are still not whole."""
    unfinished = list(Erasure.objects.exclude(stored=[]))
    for erasure in unfinished:
        clear_store(erasure)
    return sum(bool(erasure.stored) for erasure in unfinished)


# --- computers ----------------------------------------------------------------------------------------------------


def orders_for(worker: Worker, instance: str) -> list[Forget]:
    """Return what a computer shall delete, the oldest first, until it confirms. One query."""
    wanted = _open_copies(worker, instance).select_related("erasure").order_by("id")[:FORGETS_PER_HEARTBEAT]
    return [
        Forget(
            id=copy.pk,
            dataset_id=copy.erasure.dataset_number,
            sha256=copy.erasure.sha256,
            table_sha256=copy.erasure.table_sha256,
            runs=copy.erasure.run_numbers,
        )
        for copy in wanted
    ]


def confirm(worker: Worker, instance: str, orders: Collection[int]) -> None:
    """Note which orders this computer has carried out; of others' orders, or twice, nothing is noted."""
    if not orders:
        return
    for copy in _open_copies(worker, instance).filter(pk__in=orders).select_related("erasure"):
        if ErasureCopy.objects.open().filter(pk=copy.pk).update(confirmed_at=Now()):
            audit.record(AuditKind.COPIES_FORGOTTEN, worker=worker, target=copy.erasure)
            logger.info("copies deleted", extra={"erasure": copy.erasure_id, "worker": worker.pk})


def _open_copies(worker: Worker, instance: str) -> QuerySet[ErasureCopy]:
    """Return what the computer that calls has not confirmed; of an attempt that named none, any computer is meant."""
    return ErasureCopy.objects.open().filter(worker=worker, machine__in=("", machine_of(instance)))


def settle_by_hand(copy: ErasureCopy, *, by: User, reason: str) -> None:
    """Note that a computer which cannot confirm was cleaned or destroyed. Raises ServiceError without a reason."""
    reason = clean_text(reason).strip()[:REASON_CHARACTERS]
    if not reason:
        message = _("Say how you know that nothing is left on this computer.")
        raise ServiceError(ErrorCode.INVALID_FIELD, message, errors=[{"path": "reason", "message": message}])
    with transaction.atomic():
        open_copy = ErasureCopy.objects.open().filter(pk=copy.pk)
        if open_copy.update(settled_at=Now(), settled_by=by, settled_reason=reason):
            audit.record(AuditKind.COPIES_FORGOTTEN, actor=by, target=copy.erasure, by_hand=True)
