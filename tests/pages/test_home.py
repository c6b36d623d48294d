"""The first page: what runs, what waits for a decision until it is put aside, what ended since the last visit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import DatasetStatus, ErasureKind, JobStatus, RepeatKind
from bert_training.models import (
    AccessToken,
    Dataset,
    Erasure,
    ErasureCopy,
    HomeVisit,
    Invitation,
    Job,
    JobAttempt,
    PutAside,
    Run,
    RunProof,
    Worker,
)
from bert_training.services.home import note_visit
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.personas import make_run, make_worker, ready_dataset, token_of
from tests.proofs import label_errors, make_proof

pytestmark = pytest.mark.django_db
AN_HOUR, OLD = timedelta(hours=1), timedelta(days=3)


def ended(
    owner: User, dataset: Dataset, status: JobStatus, *, name: str = "Assunto", ago: timedelta = AN_HOUR, **fields: Any
) -> Run:
    """Create a run that has ended."""
    run = make_run(owner, dataset, name=name)
    moment = timezone.now() - ago
    Job.objects.filter(run=run).update(status=status, finished_at=moment)
    Run.objects.filter(pk=run.pk).update(status=status, finished_at=moment, **fields)
    return run


def failed(owner: User, dataset: Dataset) -> Run:
    return ended(owner, dataset, JobStatus.FAILED, error_code="out_of_memory", name="Triagem")


def doubtful(owner: User, dataset: Dataset) -> Run:
    run = ended(owner, dataset, JobStatus.COMPLETED, name="Assunto v2")
    RunProof.objects.create(run=run, status="ready", content=make_proof(label_errors=label_errors(7)))
    return run


def repeated(owner: User, dataset: Dataset) -> Run:
    run = ended(owner, dataset, JobStatus.COMPLETED, name="Repetida")
    ended(owner, dataset, JobStatus.COMPLETED, repeat_of=run, repeat_kind=RepeatKind.SEED, repeat_number=1)
    return run


def refused(owner: User, dataset: Dataset) -> Dataset:
    return ready_dataset(owner, name="Vazia", status=DatasetStatus.REFUSED, request_digest="e" * 64)


def unconfirmed(owner: User, dataset: Dataset) -> Erasure:
    erasure = Erasure.objects.create(kind=ErasureKind.DATASET, name="Antiga", dataset_number=0, owner=owner)
    Erasure.objects.update(created_at=timezone.now() - OLD)
    ErasureCopy.objects.create(erasure=erasure, worker_name="gpu-9")
    return erasure


OWN = {
    "run_failed": (failed, "Triagem", "/runs/new?dataset="),
    "run_to_judge": (doubtful, "7 labels look wrong", "/label-errors"),
    "repeats_ended": (repeated, "All its repeats have ended", "#repeats"),
    "dataset_refused": (refused, "The spreadsheet was refused", "/datasets/"),
    "erasure_open": (unconfirmed, "not confirmed everywhere yet", "/erasures/"),
}


@pytest.mark.parametrize("kind", OWN)
def test_what_waits_stands_there_with_one_thing_to_do_until_it_is_put_aside(
    kind: str, as_ana: Client, as_carla: Client, ana: User, dataset: Dataset
) -> None:
    make: Callable[[User, Dataset], Any] = OWN[kind][0]
    row, words, address = make(ana, dataset), *OWN[kind][1:]
    page = as_ana.get("/").content.decode()
    assert words in page
    assert address in page
    assert words not in as_carla.get("/").content.decode()
    response = as_ana.post("/aside", {"kind": kind, "number": row.pk}, follow=True)
    assert words not in response.content.decode().split("Since your last visit")[0].split("Latest results")[0]


def test_what_is_trained_anew_is_decided(as_ana: Client, ana: User, dataset: Dataset) -> None:
    run = failed(ana, dataset)
    assert "Train again" in as_ana.get("/").content.decode()
    make_run(ana, dataset)
    Run.objects.order_by("-pk").filter(status=JobStatus.QUEUED).update(reproduced_from=run)
    assert "Train again" not in as_ana.get("/").content.decode()


def test_a_failed_run_on_data_out_of_reach_is_only_looked_at(as_ana: Client, ana: User, carla: User) -> None:
    failed(ana, dataset := ready_dataset(ana))
    Dataset.objects.filter(pk=dataset.pk).update(owner=carla)
    page = as_ana.get("/").content.decode()
    assert ("Train again" in page, "Look at the run" in page) == (False, True)


def test_what_was_put_aside_comes_back_when_it_happens_anew(otto: User, worker: Worker) -> None:
    client = client_of(otto)
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(hours=2))
    assert "No sign of life" in client.get("/").content.decode()
    client.post("/aside", {"kind": "worker_silent", "number": worker.pk})
    assert "No sign of life" not in client.get("/").content.decode()
    # It was heard again after that, and fell silent once more.
    PutAside.objects.update(put_at=timezone.now() - AN_HOUR)
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(minutes=11))
    assert "No sign of life" in client.get("/").content.decode()


def test_operators_and_staff_are_told_of_what_they_mind(otto: User, as_root: Client, as_ana: Client) -> None:
    worker = make_worker("gpu-7")
    token_of(worker)
    AccessToken.objects.filter(worker=worker).update(expires_at=timezone.now() + timedelta(days=3))
    in_a_week = timezone.now() + timedelta(days=7)
    Invitation.objects.create(email="x@example.com", full_name="Carlos Souza", digest="d" * 64, expires_at=in_a_week)
    staff, operator, owner = (client.get("/").content.decode() for client in (as_root, client_of(otto), as_ana))
    assert "expires in 3 days" in staff
    assert f"/admin/bert_training/worker/{worker.pk}/" in staff
    assert "Carlos Souza" in staff
    assert "expires in 3 days" in operator
    assert "/admin/" not in operator
    assert "Carlos Souza" not in operator
    assert "gpu-7" not in owner


@pytest.mark.parametrize(
    "sent", [{"kind": "nonsense", "number": "1"}, {"kind": "run_failed", "number": "x"}, {"kind": "run_failed"}]
)
def test_only_a_kind_and_a_number_can_be_put_aside(as_ana: Client, sent: dict[str, str]) -> None:
    assert as_ana.post("/aside", sent).status_code == 404


def test_what_ended_since_the_last_visit_stays_through_a_reload(as_ana: Client, ana: User, dataset: Dataset) -> None:
    ended(ana, dataset, JobStatus.COMPLETED, ago=timedelta(days=2), name="De anteontem")
    assert "Since your last visit" not in as_ana.get("/").content.decode()  # the first visit
    HomeVisit.objects.filter(user=ana).update(opened_at=timezone.now() - timedelta(hours=9))
    ended(ana, dataset, JobStatus.COMPLETED, name="Da noite")
    for _visit in range(2):
        since, before = as_ana.get("/").content.decode().split("Since your last visit")[1].split("Before that")
        assert "Da noite" in since
        assert "De anteontem" in before


def test_who_comes_back_within_half_an_hour_is_on_the_same_visit(ana: User) -> None:
    start = timezone.now() - timedelta(hours=5)
    HomeVisit.objects.create(user=ana, opened_at=timezone.now() - timedelta(minutes=20), since=start)
    assert note_visit(ana) == start
    HomeVisit.objects.update(opened_at=timezone.now() - timedelta(minutes=40))
    assert note_visit(ana) != start


def test_a_run_at_work_says_how_far_it_is_where_and_how_long_it_takes(as_ana: Client, running_job: Job) -> None:
    Job.objects.filter(pk=running_job.pk).update(step=50, total_steps=100, phase="training")
    JobAttempt.objects.update(expected_end=timezone.now() + timedelta(minutes=23, seconds=5))
    page = as_ana.get("/").content.decode()
    assert "50%" in page
    assert "on gpu-1" in page
    assert "about 23\u00a0min left" in page


def test_the_page_costs_the_same_however_much_waits(as_ana: Client, ana: User, dataset: Dataset) -> None:
    def fill() -> None:
        for make in (failed, doubtful, repeated):
            make(ana, dataset)
        make_run(ana, dataset)
        unconfirmed(ana, dataset)

    note_visit(ana)
    fill()
    few = len(queries_of(as_ana, "/"))
    fill()
    assert len(queries_of(as_ana, "/")) == few
