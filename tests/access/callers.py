"""Everybody who may call, and the rows that they call for: ana's dataset and run, given to three teams at three levels.

The rows live in one transaction for a whole module, and each request in one of its own that is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client

from bert_training.contract.enums import ErasureKind, NoticeKind, ProofStatus, Role, ShareLevel
from bert_training.models import (
    Dataset,
    DatasetManifest,
    Erasure,
    ErasureCopy,
    Notification,
    Occurrence,
    Run,
    RunProof,
    Team,
    Worker,
)
from bert_training.services.divisions import pack_letters
from bert_training.services.tokens import issue_user_token
from tests.answered import keep, labels
from tests.pages.training import train
from tests.personas import claim, make_run, make_user, make_worker, ready_dataset, share, token_of
from tests.profiles import give_profile
from tests.proofs import make_proof

ANONYMOUS = "anonymous"
PEOPLE = (
    "norole",  # signed in, without any role
    "viewer",  # reads; belongs to the team that may manage, and still changes nothing
    "owner",
    "mate_view",  # trainers of the teams to which the rows were given at each level
    "mate_use",
    "mate_manage",
    "stranger",  # a trainer to whom nothing was given
    "operator",
    "staff",
    "superuser",
)
WORKERS = ("holder", "other_worker")
ARGUMENTS = {"name": "classes", "topic": "privacy", "app_label": "bert_training", "to": "drain", "chart": "ended"}
CHART_NAMES = {"pages:run-curve-svg": "loss", "pages:run-curve-csv": "loss"}  # elsewhere ARGUMENTS["name"]
CALLERS = (ANONYMOUS, *PEOPLE, *WORKERS)


@dataclass(frozen=True)
class World:
    """A client for each caller, and what fills the arguments of addresses."""

    clients: dict[str, Client]
    users: dict[str, User]
    dataset: Dataset
    run: Run
    job_id: int  # of a run that the holder trains
    queued_id: int
    worker: Worker
    token_id: int
    copy: ErasureCopy
    notification_id: int

    def values_of(self, name: str) -> dict[str, Any]:
        """Return the arguments of a route: `pk` is the number of the kind of row that its name begins with."""
        kind = name.rpartition(":")[2].partition("-")[0].removesuffix("s")
        rows = {
            "dataset": self.dataset.pk,
            "run": self.run.pk,
            "job": self.job_id,
            "worker": self.worker.pk,
            "token": self.token_id,
            "queue": self.queued_id,
            "erasure": self.copy.erasure_id,
            "notification": self.notification_id,
        }
        admin = {"copy": self.copy.pk, "object_id": self.dataset.pk, "id": self.users["owner"].pk, "content_type_id": 1}
        chart = {"name": CHART_NAMES[name]} if name in CHART_NAMES else {}
        return {**ARGUMENTS, **admin, "pk": rows.get(kind, 1), "task": self.dataset.task, **chart}


def make_world() -> World:
    """Create all callers and rows."""
    teams = {level: Team.objects.create(name=f"team-{level}") for level in ShareLevel}
    users = {
        "norole": make_user("norole", roles=[]),
        "viewer": make_user("viewer", roles=[Role.READ], teams=[teams[ShareLevel.MANAGE]]),
        "owner": make_user("owner"),
        **{f"mate_{level}": make_user(f"mate_{level}", teams=[team]) for level, team in teams.items()},
        "stranger": make_user("stranger"),
        "operator": make_user("operator", roles=[Role.OPERATE]),
        "staff": make_user("staff", roles=[], is_staff=True),
        "superuser": make_user("superuser", roles=[], is_staff=True, is_superuser=True),
    }
    users["staff"].user_permissions.set(Permission.objects.filter(content_type__app_label="bert_training"))
    holder, other = make_worker("holder"), make_worker("other")
    dataset = ready_dataset(users["owner"])
    give_profile(dataset)
    DatasetManifest.objects.create(dataset=dataset, letters=pack_letters("ttttttvveeee"))
    first, run = (train(holder, make_run(users["owner"], dataset)) for _ in range(2))
    _prove(run, reproduced_from=first)
    for level, team in teams.items():
        for row in (dataset, first, run):
            share(row, team, level)
    make_run(users["owner"], dataset)
    job_id = claim(holder).job_id
    clients = {name: _signed_in(user) for name, user in users.items()}
    clients |= {name: _with_token(worker) for name, worker in zip(WORKERS, (holder, other), strict=True)}
    run.refresh_from_db()
    queued = make_run(users["owner"], dataset)
    token_id = issue_user_token(users["owner"], label="tests")[0].pk
    return World(
        {ANONYMOUS: Client(), **clients},
        users,
        dataset,
        run,
        job_id,
        queued.job.pk,
        holder,
        token_id,
        _erased(users["owner"], holder),
        _told(users["owner"], run),
    )


def _told(owner: User, run: Run) -> int:
    """Tell the owner that a run is completed."""
    occurrence = Occurrence.objects.create(kind=NoticeKind.RUN_COMPLETED, key="told", run=run)
    return Notification.objects.create(occurrence=occurrence, user=owner).pk


def _erased(owner: User, worker: Worker) -> ErasureCopy:
    """Leave behind what was deleted of a dataset, and a computer that has not confirmed."""
    erasure = Erasure.objects.create(kind=ErasureKind.DATASET, name="x", dataset_number=0, owner=owner)
    return ErasureCopy.objects.create(erasure=erasure, worker=worker, worker_name=worker.name)


def _prove(run: Run, *, reproduced_from: Run) -> None:
    """Give a completed run everything that addresses below it show."""
    Run.objects.filter(pk=run.pk).update(reproduced_from=reproduced_from)
    suspect = {"row": 2, "split": "test", "given": "a", "suggested": "b", "doubt": 0.9}
    found = {"source": "linear", "judged": 12, "counts": {"test": 1}, "suspects": [suspect]}
    proof = {**keep([labels([2], [0], [1])]), "status": ProofStatus.READY, "content": make_proof(label_errors=found)}
    RunProof.objects.update_or_create(run=run, defaults=proof)


def _signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def _with_token(worker: Worker) -> Client:
    headers = {"authorization": f"Bearer {token_of(worker)}", "x-worker-protocol": "1"}
    return Client(raise_request_exception=False, headers=headers)


@contextmanager
def undone() -> Iterator[None]:
    """Do everything inside in a transaction that is rolled back; durable ones may be inside, as in a test's own."""
    atomic: Any = transaction.atomic()
    atomic._from_testcase = True
    with atomic:
        yield
        transaction.set_rollback(True)
