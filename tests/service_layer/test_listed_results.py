"""What lists sort and filter by follows results, proofs and the scales of grades."""

import importlib
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django_q.models import OrmQ, Schedule

from bert_training.background import judge_runs
from bert_training.contract.enums import ProofStatus
from bert_training.models import GradeScale, Run, RunProof, Worker
from bert_training.models.run import NO_RANK
from bert_training.services.proving.listed_results import note_proof
from tests.admin.rows import page_of
from tests.pages.training import fail, train
from tests.personas import make_run
from tests.proofs import make_proof

migration = importlib.import_module("bert_training.migrations.0023_run_marks")


def listed(run: Run) -> tuple[str, float | None, float]:
    run.refresh_from_db()
    return run.headline_metric, run.headline_value, run.headline_rank


@pytest.fixture
def trained(ana: User, worker: Worker) -> Run:
    """A completed run with a result and no proof."""
    return train(worker, make_run(ana))


def test_a_result_gives_a_run_its_place(trained: Run) -> None:
    assert listed(trained) == ("f1_macro", 0.875, 0.875)
    assert trained.verdict == ""


def test_the_smallest_loss_stands_first(ana: User, worker: Worker) -> None:
    assert listed(train(worker, make_run(ana, hyperparameters={"best_metric": "loss"}))) == ("loss", 0.31, -0.31)


def test_a_run_without_a_result_stands_last(ana: User, worker: Worker) -> None:
    assert listed(fail(worker, make_run(ana), "crashed")) == ("", None, NO_RANK)


def test_the_duration_is_from_the_first_start_to_the_end(trained: Run) -> None:
    assert trained.started_at is not None
    assert trained.finished_at is not None
    assert trained.duration_seconds == round((trained.finished_at - trained.started_at).total_seconds())


def test_a_proof_gives_the_verdict_and_the_figure_of_the_portal(trained: Run) -> None:
    note_proof(trained, make_proof(0.9))
    assert listed(trained) == ("f1_macro", 0.9, 0.9)
    assert trained.verdict == "use"


def test_a_proof_without_the_deciding_figure_leaves_that_of_the_worker(ana: User, worker: Worker) -> None:
    run = train(worker, make_run(ana, hyperparameters={"best_metric": "loss"}))
    note_proof(run, make_proof(0.9, metric="loss"))
    assert listed(run) == ("loss", 0.31, -0.31)
    assert run.verdict


def test_a_scale_that_staff_change_judges_older_runs_anew(
    trained: Run, root: User, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    RunProof.objects.create(run=trained, status=ProofStatus.READY, content=make_proof(0.9))
    note_proof(trained, make_proof(0.9))
    client.force_login(root)
    scale = GradeScale.objects.get(metric="f1_macro")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page_of("gradescale", scale.pk), {"excellent": "0.99", "good": "0.98", "fair": "0.97"})
    assert [task.func() for task in OrmQ.objects.all()].count("bert_training.background.judge_runs") == 1
    judge_runs()
    trained.refresh_from_db()
    assert trained.verdict == "do_not_use"


def test_older_runs_get_their_columns_when_the_portal_is_updated(trained: Run) -> None:
    RunProof.objects.create(run=trained, status=ProofStatus.READY, content=make_proof(0.9))
    before = Run.objects.values().get(pk=trained.pk)
    empty = {"headline_metric": "", "headline_value": None, "headline_rank": NO_RANK, "duration_seconds": 0}
    assert trained.started_at is not None
    ended = trained.started_at + timedelta(minutes=2)
    Run.objects.filter(pk=trained.pk).update(**empty, finished_at=ended)
    migration.fill(apps, None)
    migration.judge(apps, None)
    assert Run.objects.values().get(pk=trained.pk) == before | {"duration_seconds": 120, "finished_at": ended}
    assert Schedule.objects.filter(func="bert_training.background.judge_runs").count() == 1
