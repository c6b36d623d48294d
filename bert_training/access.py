"""Who may see or change what. The only file that knows: pages, API, sockets, downloads and admin all ask it.

A person sees what is their own, staff see everything; to others a row does not exist (404).
"""

from typing import TYPE_CHECKING, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from bert_training.contract.enums import JobStatus
from bert_training.models import Dataset, Job, Run, Worker

if TYPE_CHECKING:
    Person = User | AnonymousUser
else:
    Person = AbstractBaseUser | AnonymousUser

Row = TypeVar("Row", Dataset, Run)


def is_person(user: Person) -> bool:
    """Tell whether somebody active is signed in."""
    return user.is_authenticated and user.is_active


def may_operate(user: Person) -> bool:
    """Tell whether somebody may order the queue, register workers and see all of them."""
    return is_person(user) and user.is_staff


def datasets_visible_to(user: Person) -> QuerySet[Dataset]:
    """Return the datasets that somebody may see."""
    if not is_person(user):
        return Dataset.objects.none()
    kept = Dataset.objects.filter(deleted_at__isnull=True)
    return kept if user.is_staff else kept.filter(owner=user.pk)


def runs_visible_to(user: Person) -> QuerySet[Run]:
    """Return the runs that somebody may see."""
    if not is_person(user):
        return Run.objects.none()
    return Run.objects.all() if user.is_staff else Run.objects.filter(owner=user.pk)


def runs_listed_for(user: Person) -> QuerySet[Run]:
    """Return the runs that lists show: repeats of a run stand on its own page."""
    return runs_visible_to(user).filter(repeat_of=None)


def workers_visible_to(user: Person) -> QuerySet[Worker]:
    """Return the workers that somebody may see: all for those who operate them, none for others."""
    return Worker.objects.all() if may_operate(user) else Worker.objects.none()


def visible_dataset(user: Person, pk: int) -> Dataset:
    """Return a dataset, or raise Http404 as if it did not exist."""
    dataset = datasets_visible_to(user).select_related("owner").filter(pk=pk).first()
    if dataset is None:
        raise Http404(_("There is no dataset %(id)s.") % {"id": pk})
    return dataset


def visible_run(user: Person, pk: int) -> Run:
    """Return a run with its job, worker, dataset, owner and proof (not its content), else raise Http404."""
    related = ("owner", "dataset", "job", "job__worker", "reproduced_from", "repeat_of", "proof")
    run = runs_visible_to(user).select_related(*related).defer("proof__content").filter(pk=pk).first()
    if run is None:
        raise Http404(_("There is no run %(id)s.") % {"id": pk})
    return run


def may_change(user: Person, row: Dataset | Run) -> bool:
    """Tell whether somebody may rename, cancel, reproduce or delete a row."""
    return is_person(user) and (user.is_staff or row.owner_id == user.pk)


def changeable_dataset(user: Person, pk: int) -> Dataset:
    """Return a dataset that somebody may change: Http404 where they may not see it, else PermissionDenied."""
    return _changeable(user, visible_dataset(user, pk))


def changeable_run(user: Person, pk: int) -> Run:
    """Return a run that somebody may change: Http404 where they may not see it, else PermissionDenied."""
    return _changeable(user, visible_run(user, pk))


def _changeable(user: Person, row: Row) -> Row:
    if not may_change(user, row):
        raise PermissionDenied
    return row


def run_for_worker(worker: Worker, job_pk: int) -> Run:
    """Return the run of which a worker may read the manifest: only while it holds the run's job; else Http404."""
    held = Job.objects.filter(pk=job_pk, worker=worker, status=JobStatus.RUNNING).select_related("run__dataset").first()
    if held is None:
        raise Http404(_("There is no job %(id)s.") % {"id": job_pk})
    return held.run


def table_for_worker(worker: Worker, dataset_pk: int) -> Dataset:
    """Return a dataset of which a worker may read the table: only while it holds a job on it; else Http404."""
    holds = Job.objects.filter(worker=worker, status=JobStatus.RUNNING, run__dataset=dataset_pk)
    dataset = Dataset.objects.filter(pk=dataset_pk).first() if holds.exists() else None
    if dataset is None:
        raise Http404(_("There is no dataset %(id)s.") % {"id": dataset_pk})
    return dataset
