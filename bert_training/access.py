"""Who may see or change what. The only file that knows: pages, API, sockets, downloads and admin all ask it.

A role says what somebody may do at all, ownership and shares on which rows; staff have every role on every row. No rule
means no: to who may not see a row it does not exist (404), and who sees it but may not do this is refused (403).
Texts come with their dataset: who sees a run but not its dataset sees row numbers, labels and probabilities.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from bert_training.contract.enums import JobStatus, Role, ShareLevel
from bert_training.models import Dataset, DatasetShare, Job, Run, RunShare, Worker

if TYPE_CHECKING:
    Person = User | AnonymousUser
else:
    Person = AbstractBaseUser | AnonymousUser

Row = TypeVar("Row", Dataset, Run)
AnyRow = TypeVar("AnyRow", bound=Model)

_LEVELS = tuple(ShareLevel)  # each holds those before it


class NotVisible(Http404):
    """The row is there, but not to who asks. Answered like a row that does not exist; the audit notes which it was."""

    def __init__(self, message: str, row: Model) -> None:
        super().__init__(message)
        self.row = row


def is_person(user: Person) -> bool:
    """Tell whether somebody active is signed in."""
    return user.is_authenticated and user.is_active


def has_role(user: Person, role: Role) -> bool:
    """Tell whether somebody may do a kind of thing at all; staff have every role."""
    return is_person(user) and (user.is_staff or user.has_perm(f"bert_training.{role}"))


def may_read(user: Person) -> bool:
    """Tell whether somebody may see datasets and runs, as far as they are their own or shared."""
    return has_role(user, Role.READ)


def may_train(user: Person) -> bool:
    """Tell whether somebody may upload spreadsheets, start runs and change what is their own."""
    return has_role(user, Role.TRAIN)


def may_operate(user: Person) -> bool:
    """Tell whether somebody may order the queue and see all workers."""
    return has_role(user, Role.OPERATE)


def datasets_visible_to(user: Person, level: ShareLevel = ShareLevel.VIEW) -> QuerySet[Dataset]:
    """Return the datasets that somebody may see, use or manage."""
    if not may_read(user):
        return Dataset.objects.none()
    kept = Dataset.objects.filter(deleted_at__isnull=True)
    if user.is_staff:
        return kept
    shared = DatasetShare.objects.filter(team__members=user.pk, level__in=_levels_from(level)).values("dataset")
    return kept.filter(Q(owner=user.pk) | Q(pk__in=shared))


def runs_visible_to(user: Person, level: ShareLevel = ShareLevel.VIEW) -> QuerySet[Run]:
    """Return the runs that somebody may see, use or manage; the repeats of a run go with it."""
    if not may_read(user):
        return Run.objects.none()
    if user.is_staff:
        return Run.objects.all()
    shared = RunShare.objects.filter(team__members=user.pk, level__in=_levels_from(level)).values("run")
    return Run.objects.filter(Q(owner=user.pk) | Q(pk__in=shared) | Q(repeat_of__in=shared))


def _levels_from(level: ShareLevel) -> tuple[ShareLevel, ...]:
    return _LEVELS[_LEVELS.index(level) :]


def runs_listed_for(user: Person) -> QuerySet[Run]:
    """Return the runs that lists show: repeats of a run stand on its own page."""
    return runs_visible_to(user).filter(repeat_of=None)


def workers_visible_to(user: Person) -> QuerySet[Worker]:
    """Return the workers that somebody may see: all for those who operate them, none for others."""
    return Worker.objects.all() if may_operate(user) else Worker.objects.none()


def visible_dataset(user: Person, pk: int) -> Dataset:
    """Return a dataset with its owner, or raise Http404 as if it did not exist."""
    dataset = datasets_visible_to(user).select_related("owner").filter(pk=pk).first()
    if dataset is None:
        raise _absent(Dataset.objects.filter(deleted_at=None), pk, _("There is no dataset %(id)s."))
    return dataset


def usable_dataset(user: Person, pk: int) -> Dataset:
    """Return a dataset that somebody may train on: Http404 where they may not see it, else PermissionDenied."""
    return _allowed(may_use, user, visible_dataset(user, pk))


def changeable_dataset(user: Person, pk: int) -> Dataset:
    """Return a dataset that somebody may change: Http404 where they may not see it, else PermissionDenied."""
    return _allowed(may_change, user, visible_dataset(user, pk))


def visible_run(user: Person, pk: int) -> Run:
    """Return a run with its job, worker, dataset, owner and proof (not its content), else raise Http404."""
    related = ("owner", "dataset", "job", "job__worker", "reproduced_from", "repeat_of", "proof")
    run = runs_visible_to(user).select_related(*related).defer("proof__content").filter(pk=pk).first()
    if run is None:
        raise _absent(Run.objects.all(), pk, _("There is no run %(id)s."))
    return run


def usable_run(user: Person, pk: int) -> Run:
    """Return a run that somebody may reproduce, repeat or go on from: Http404, else PermissionDenied."""
    return _allowed(may_use, user, visible_run(user, pk))


def changeable_run(user: Person, pk: int) -> Run:
    """Return a run that somebody may change: Http404 where they may not see it, else PermissionDenied."""
    return _allowed(may_change, user, visible_run(user, pk))


def may_use(user: Person, row: Dataset | Run) -> bool:
    """Tell whether somebody may train on a dataset, or reproduce, repeat or go on from a run."""
    return may_train(user) and _reaches(user, row, ShareLevel.USE)


def may_change(user: Person, row: Dataset | Run) -> bool:
    """Tell whether somebody may rename, cancel, share or delete a row."""
    return may_train(user) and _reaches(user, row, ShareLevel.MANAGE)


def may_see_texts(user: Person, run: Run) -> bool:
    """Tell whether somebody may see the texts of a run: as far as they may see its dataset."""
    return datasets_visible_to(user).filter(pk=run.dataset_id).exists()


def _reaches(user: Person, row: Dataset | Run, level: ShareLevel) -> bool:
    if user.is_staff or row.owner_id == user.pk:
        return True
    rows = datasets_visible_to(user, level) if isinstance(row, Dataset) else runs_visible_to(user, level)
    return rows.filter(pk=row.pk).exists()


def _allowed(rule: Callable[[Person, Dataset | Run], bool], user: Person, row: Row) -> Row:
    if not rule(user, row):
        raise PermissionDenied
    return row


def _absent(rows: QuerySet[AnyRow], pk: int, words: str) -> Http404:
    """Return the answer for a row that is not there, or not to who asks: the same words for both."""
    message = words % {"id": pk}
    return NotVisible(message, rows.model(pk=pk)) if rows.filter(pk=pk).exists() else Http404(message)


def run_for_worker(worker: Worker, job_pk: int) -> Run:
    """Return the run of which a worker may read the manifest: only while it holds the run's job; else Http404."""
    held = Job.objects.filter(pk=job_pk, worker=worker, status=JobStatus.RUNNING).select_related("run__dataset").first()
    if held is None:
        raise _absent(Job.objects.all(), job_pk, _("There is no job %(id)s."))
    return held.run


def table_for_worker(worker: Worker, dataset_pk: int) -> Dataset:
    """Return a dataset of which a worker may read the table: only while it holds a job on it; else Http404."""
    holds = Job.objects.filter(worker=worker, status=JobStatus.RUNNING, run__dataset=dataset_pk)
    dataset = Dataset.objects.filter(pk=dataset_pk).first() if holds.exists() else None
    if dataset is None:
        raise _absent(Dataset.objects.filter(deleted_at=None), dataset_pk, _("There is no dataset %(id)s."))
    return dataset
