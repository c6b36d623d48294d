"""Who may see or change what. The only file that knows: pages, API, sockets, downloads and admin all ask it.

A role says what somebody may do at all, ownership and shares on which rows; staff have every role on every row. No rule
means no: to who may not see a row it does not exist (404), and who sees it but may not do this is refused (403).
Texts come with their dataset: who sees a run but not its dataset sees row numbers, labels and probabilities.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from bert_training.contract.enums import JobStatus, Role, ShareLevel
from bert_training.models import (
    AccessToken,
    Dataset,
    DatasetShare,
    Erasure,
    Job,
    Notification,
    Run,
    RunShare,
    Team,
    Worker,
)

if TYPE_CHECKING:
    Person = User | AnonymousUser
else:
    Person = AbstractBaseUser | AnonymousUser

Row = TypeVar("Row", Dataset, Run)
AnyRow = TypeVar("AnyRow", bound=Model)

_LEVELS = tuple(ShareLevel)  # each holds those before it
_ROLES_KNOWN = "_portal_roles"  # on a loaded user, as Django keeps permissions there, but by one query instead of two


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
    return role in roles_of(user)


def roles_of(user: Person) -> frozenset[Role]:
    """Return the roles of somebody, their own and those of their groups: one query for each loaded user."""
    if not is_person(user):
        return frozenset()
    if user.is_staff or user.is_superuser:
        return frozenset(Role)
    known: frozenset[Role] | None = getattr(user, _ROLES_KNOWN, None)
    if known is None:
        known = _granted_roles(user)
        setattr(user, _ROLES_KNOWN, known)
    return known


def _granted_roles(user: Person) -> frozenset[Role]:
    own = User.user_permissions.through.objects.filter(user=user.pk).values("permission")
    by_group = Group.permissions.through.objects.filter(group__user=user.pk).values("permission")
    granted = Permission.objects.filter(Q(pk__in=own) | Q(pk__in=by_group), content_type__app_label="bert_training")
    names = granted.filter(codename__in=[*Role]).values_list("codename", flat=True)
    return frozenset(map(Role, names))


def people_with(role: Role) -> QuerySet[User]:
    """Return everybody active who has a role, by their own right or by a group; staff have every role."""
    granted = Permission.objects.filter(content_type__app_label="bert_training", codename=role.value)
    own = User.user_permissions.through.objects.filter(permission__in=granted).values("user")
    groups = Group.permissions.through.objects.filter(permission__in=granted).values("group")
    by_group = User.groups.through.objects.filter(group__in=groups).values("user")
    allowed = Q(is_staff=True) | Q(is_superuser=True) | Q(pk__in=own) | Q(pk__in=by_group)
    return User.objects.filter(allowed, is_active=True)


def administrators() -> QuerySet[User]:
    """Return everybody who minds the house (may_administer)."""
    return User.objects.filter(is_active=True, is_staff=True)


def may_read(user: Person) -> bool:
    """Tell whether somebody may see datasets and runs, as far as they are their own or shared."""
    return has_role(user, Role.READ)


def may_train(user: Person) -> bool:
    """Tell whether somebody may upload spreadsheets, start runs and change what is their own."""
    return has_role(user, Role.TRAIN)


def may_operate(user: Person) -> bool:
    """Tell whether somebody may order the queue and see all workers."""
    return has_role(user, Role.OPERATE)


def may_administer(user: Person) -> bool:
    """Tell whether somebody minds the house: registers workers, asks for simulations, shares with any team."""
    return is_person(user) and user.is_staff


def teams_visible_to(user: Person) -> QuerySet[Team]:
    """Return the teams with which somebody may share: their own, all for staff."""
    if may_administer(user):
        return Team.objects.all()
    return Team.objects.filter(members=user.pk) if roles_of(user) else Team.objects.none()


def datasets_visible_to(user: Person, level: ShareLevel = ShareLevel.VIEW) -> QuerySet[Dataset]:
    """Return the datasets that somebody may see, use or manage."""
    if not _may_reach(user, level):
        return Dataset.objects.none()
    kept = Dataset.objects.filter(deleted_at__isnull=True)
    if user.is_staff:
        return kept
    shared = DatasetShare.objects.filter(team__members=user.pk, level__in=_levels_from(level)).values("dataset")
    return kept.filter(Q(owner=user.pk) | Q(pk__in=shared) | _example_at(level))


def runs_visible_to(user: Person, level: ShareLevel = ShareLevel.VIEW) -> QuerySet[Run]:
    """Return the runs that somebody may see, use or manage; the repeats of a run go with it.

    IN over the shares, once hashed: EXISTS took SQLite 6 times as long to count 10,000 runs, and PostgreSQL no less.
    """
    if not _may_reach(user, level):
        return Run.objects.none()
    if user.is_staff:
        return Run.objects.all()
    shared = RunShare.objects.filter(team__members=user.pk, level__in=_levels_from(level)).values("run")
    return Run.objects.filter(Q(owner=user.pk) | Q(pk__in=shared) | Q(repeat_of__in=shared) | _example_at(level))


def _example_at(level: ShareLevel) -> Q:
    """Let who may read see the portal's own example, and do nothing with it."""
    return Q(is_example=True) if level is ShareLevel.VIEW else Q()


def _may_reach(user: Person, level: ShareLevel) -> bool:
    """Tell whether a role allows a level at all: beyond seeing a row, the one to train is needed."""
    return may_read(user) and (level is ShareLevel.VIEW or may_train(user))


def _levels_from(level: ShareLevel) -> tuple[ShareLevel, ...]:
    return _LEVELS[_LEVELS.index(level) :]


def runs_listed_for(user: Person) -> QuerySet[Run]:
    """Return the runs that lists show: repeats of a run stand on its own page, the example on the first one."""
    return runs_visible_to(user).filter(repeat_of=None, is_example=False)


def datasets_listed_for(user: Person, level: ShareLevel = ShareLevel.VIEW) -> QuerySet[Dataset]:
    """Return the datasets that lists show: all but that of the example."""
    return datasets_visible_to(user, level).filter(is_example=False)


def example_run(user: Person) -> Run | None:
    """Return the run that shows newcomers what a result looks like; None where it was never loaded, or deleted."""
    return runs_visible_to(user).filter(is_example=True).only("name").first()


def workers_visible_to(user: Person) -> QuerySet[Worker]:
    """Return the workers that somebody may see: all for those who operate them, none for others."""
    return Worker.objects.filter(is_example=False) if may_operate(user) else Worker.objects.none()


def erasures_visible_to(user: Person) -> QuerySet[Erasure]:
    """Return the deletions that somebody may see: of what was their own, or by their hand; staff see all."""
    if not may_read(user):
        return Erasure.objects.none()
    if may_administer(user):
        return Erasure.objects.all()
    return Erasure.objects.filter(Q(owner=user.pk) | Q(deleted_by=user.pk))


def visible_erasure(user: Person, pk: int) -> Erasure:
    """Return a deletion with its people, or raise Http404 as if there had been none."""
    erasure = erasures_visible_to(user).select_related("owner", "deleted_by").filter(pk=pk).first()
    if erasure is None:
        raise _absent(Erasure.objects.all(), pk, _("There is no deletion %(id)s."))
    return erasure


def tokens_of(user: Person) -> QuerySet[AccessToken]:
    """Return the tokens that somebody holds, to be seen, rotated and revoked by nobody else; staff have the admin."""
    return AccessToken.objects.filter(user=user.pk) if is_person(user) else AccessToken.objects.none()


def notifications_of(user: Person) -> QuerySet[Notification]:
    """Return what the page has told somebody, to be seen by nobody else; of deleted data nothing is left to see."""
    if not is_person(user):
        return Notification.objects.none()
    return Notification.objects.filter(user=user.pk, occurrence__dataset__deleted_at__isnull=True)


def seen_among(user: Person, model: type[Dataset] | type[Run], pks: Collection[int]) -> frozenset[int]:
    """Return which of these datasets or runs, named by rows that somebody sees, they may see too."""
    rows: QuerySet[Any] = datasets_visible_to(user) if model is Dataset else runs_visible_to(user)
    return frozenset(rows.filter(pk__in=pks).values_list("pk", flat=True))


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
    """Return a run whose model somebody may go on from, on another dataset: Http404, else PermissionDenied."""
    return _allowed(may_use, user, visible_run(user, pk))


def reproducible_run(user: Person, pk: int) -> Run:
    """Return a run that somebody may train again, as their own, on its own dataset: Http404, else PermissionDenied."""
    return _with_usable_data(user, usable_run(user, pk))


def repeatable_run(user: Person, pk: int) -> Run:
    """Return a run that somebody may have repeated: Http404, else PermissionDenied.

    Repeats belong to the run's owner, take the turns and GPU minutes of theirs, and go with the run: they change it.
    """
    run = changeable_run(user, pk)
    if run.is_example:  # its owner is nobody whose turns they could take
        raise PermissionDenied(_("The example stays as it is: nothing is repeated of it."))
    return _with_usable_data(user, run)


def _with_usable_data(user: Person, run: Run) -> Run:
    """Of a deleted dataset nobody is told that it may not be used: the services say that it is gone."""
    if run.dataset.deleted_at is None and not may_use(user, run.dataset):
        raise PermissionDenied(_("You may see this run, but not train on its dataset."))
    return run


def changeable_run(user: Person, pk: int) -> Run:
    """Return a run that somebody may change: Http404 where they may not see it, else PermissionDenied."""
    return _allowed(may_change, user, visible_run(user, pk))


def may_use(user: Person, row: Dataset | Run) -> bool:
    """Tell whether somebody may train on a dataset, or reproduce or go on from a run."""
    return level_of(user, row) in _levels_from(ShareLevel.USE)


def may_change(user: Person, row: Dataset | Run) -> bool:
    """Tell whether somebody may rename, cancel, repeat, share or delete a row."""
    return level_of(user, row) is ShareLevel.MANAGE


def may_see_texts(user: Person, run: Run) -> bool:
    """Tell whether somebody may see the texts of a run: as far as they may see its dataset."""
    return run.dataset.deleted_at is None and level_of(user, run.dataset) is not None


def may_compare_rows(user: Person, first: Run, second: Run) -> bool:
    """Tell whether somebody may learn in which cells the data of two runs differ: else their own would test guesses."""
    return all(level_of(user, run.dataset) is not None for run in (first, second))


def level_of(user: Person, row: Dataset | Run) -> ShareLevel | None:
    """Return what somebody may do with a row, None for nothing; without the role to train nothing beyond seeing it."""
    if not may_read(user):
        return None
    if user.is_staff or row.owner_id == user.pk:
        level: ShareLevel | None = ShareLevel.MANAGE
    else:
        given = set(_shares_of(row).filter(team__members=user.pk).values_list("level", flat=True))
        level = next((level for level in reversed(_LEVELS) if level in given), None)
        level = level or (ShareLevel.VIEW if row.is_example else None)
    return level if level is None or may_train(user) else ShareLevel.VIEW


def shares_visible_to(user: Person, row: Dataset | Run) -> QuerySet[DatasetShare] | QuerySet[RunShare]:
    """Return with which teams a row is shared: all for who may share it, to others those of their own teams."""
    shares = _shares_of(row).select_related("team").order_by("team__name")
    return shares if may_change(user, row) else shares.filter(team__members=user.pk)


def _shares_of(row: Dataset | Run) -> QuerySet[DatasetShare] | QuerySet[RunShare]:
    """Return the shares by which a row is reached: those of a repeat are those of the run that it repeats."""
    if isinstance(row, Dataset):
        return DatasetShare.objects.filter(dataset=row)
    return RunShare.objects.filter(run=row.repeat_of_id or row.pk)


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
