"""A run that begins from a trained model goes to the worker that keeps it, and to no program that would ignore it."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import translation

from bert_training.contract.enums import Feature
from bert_training.models import BaseModel, Dataset, Job, Run, Team, Worker
from bert_training.models.plain_claim import NotPlain, claim_plainly
from bert_training.services.claims import claim_job
from bert_training.services.errors import InvalidRun
from bert_training.services.jobs import complete_job
from bert_training.services.runs import (
    RunRequest,
    delete_run,
    prepare_reproduction,
    prepare_run,
    reproduce_run,
    store_run,
)
from tests.personas import BASE_MODEL, claim_request, make_run, make_worker, ready_dataset
from tests.service_layer.test_jobs import completion
from tests.services import IS_EMBEDDED

ABLE = claim_request(features=[Feature.INITIAL_WEIGHTS.value])


@pytest.fixture
def trained(running_job: Job, worker: Worker) -> Run:
    """Return ana's run, trained by `worker`."""
    complete_job(worker, running_job.pk, completion())
    return Run.objects.get(pk=running_job.run_id)


def test_only_the_worker_that_keeps_the_model_is_given_the_run(
    ana: User, trained: Run, worker: Worker, other_worker: Worker
) -> None:
    run = make_run(ana, trained.dataset, initial_run=trained)
    assert claim_job(other_worker, ABLE) is None
    claimed = claim_job(worker, ABLE)
    assert claimed is not None
    assert (claimed.run_id, claimed.initial_run_id) == (run.pk, trained.pk)
    assert claimed.initial_fingerprint == trained.model_fingerprint != ""


def test_a_worker_that_cannot_begin_so_gets_the_others_jobs_only(ana: User, trained: Run, worker: Worker) -> None:
    """An older program would train from the base model and not know it."""
    make_run(ana, trained.dataset, initial_run=trained, priority=5)
    assert claim_job(worker, claim_request()) is None
    other = make_run(ana, trained.dataset)
    claimed = claim_job(worker, claim_request())
    assert claimed is not None
    assert (claimed.run_id, claimed.initial_fingerprint) == (other.pk, "")


def test_the_keeper_takes_jobs_in_their_order(ana: User, trained: Run, worker: Worker) -> None:
    make_run(ana, trained.dataset, initial_run=trained)
    first = make_run(ana, trained.dataset, priority=1)
    claimed = claim_job(worker, ABLE)
    assert claimed is not None
    assert claimed.run_id == first.pk


@pytest.mark.skipif(IS_EMBEDDED, reason="SQLite claims in steps only")
def test_the_plain_claim_leaves_bound_jobs_alone_and_notes_what_a_worker_can_do(
    ana: User, trained: Run, worker: Worker, other_worker: Worker
) -> None:
    make_run(ana, trained.dataset, initial_run=trained)
    assert claim_plainly(other_worker, ABLE) is None
    assert Worker.objects.get(pk=other_worker.pk).can(Feature.INITIAL_WEIGHTS)
    with pytest.raises(NotPlain):
        claim_plainly(worker, ABLE)


def test_the_revision_is_the_one_that_was_trained(ana: User, trained: Run) -> None:
    Run.objects.update(reproducibility={"base_model_revision": "abc"})
    trained.refresh_from_db()
    assert make_run(ana, trained.dataset, initial_run=trained).base_model_revision == "abc"


def test_a_reproduction_begins_from_the_same_model_even_when_its_run_is_deleted(
    ana: User, trained: Run, worker: Worker
) -> None:
    run = make_run(ana, trained.dataset, initial_run=trained)
    delete_run(trained)
    run.refresh_from_db()
    assert (run.initial_run, run.initial_fingerprint) == (None, trained.model_fingerprint)
    copy = reproduce_run(run, owner=ana)
    assert (copy.initial_fingerprint, copy.job.bound_to) == (trained.model_fingerprint, worker)


@pytest.mark.parametrize("change", ["active", "team"])
def test_a_reproduction_that_nobody_could_begin_is_refused(
    ana: User, root: User, team: Team, trained: Run, worker: Worker, change: str
) -> None:
    """Also for whoever is not of the team for which the keeper works."""
    run = make_run(ana, trained.dataset, initial_run=trained)
    values: dict[str, Any] = {"active": False} if change == "active" else {"team": team}
    Worker.objects.filter(pk=worker.pk).update(**values)
    with pytest.raises(InvalidRun, match=worker.name):
        reproduce_run(Run.objects.get(pk=run.pk), owner=root)


def test_a_run_deleted_while_another_is_made_from_it_leaves_its_fingerprint(ana: User, trained: Run) -> None:
    wanted = RunRequest(owner=ana, dataset=trained.dataset, base_model=BASE_MODEL, hyperparameters={"epochs": 2})
    begun = prepare_run(replace(wanted, initial_run=trained))
    copied = prepare_reproduction(trained, owner=ana)
    fingerprint = trained.model_fingerprint
    delete_run(Run.objects.get(pk=trained.pk))
    run, copy = store_run(begun), store_run(copied)
    connection.check_constraints()  # as the end of a transaction does
    assert (run.initial_run_id, run.initial_fingerprint, copy.reproduced_from_id) == (None, fingerprint, None)


def test_a_simulation_is_bound_to_nobody(ana: User, trained: Run) -> None:
    assert make_run(ana, trained.dataset, initial_run=trained, simulate=True).job.bound_to is None


def refusal(ana: User, initial: Run, dataset: Dataset | None = None) -> str:
    with translation.override("en"), pytest.raises(InvalidRun) as refused:
        make_run(ana, dataset or initial.dataset, initial_run=initial)
    assert [error["path"] for error in refused.value.extra["errors"]] == ["initial_run"]
    return refused.value.message


def test_a_run_that_left_no_model_is_refused(ana: User, run: Run, worker: Worker) -> None:
    assert "choose a completed run" in refusal(ana, run)


def test_a_model_of_another_task_is_refused(ana: User, trained: Run) -> None:
    other = ready_dataset(ana, task="token-classification", request_digest="c" * 64)
    assert "no model of this task" in refusal(ana, trained, other)


def test_a_model_of_another_base_model_is_refused(ana: User, trained: Run, base_model: BaseModel) -> None:
    Run.objects.filter(pk=trained.pk).update(base_model="other/bert")
    trained.refresh_from_db()
    assert "other/bert" in refusal(ana, trained)


@pytest.mark.parametrize("change", ["active", "team"])
def test_a_model_that_nobody_could_begin_from_is_refused(ana: User, trained: Run, worker: Worker, change: str) -> None:
    """Else the run would wait for ever."""
    values: dict[str, Any] = {"active": False} if change == "active" else {"team": Team.objects.create(name="fiscal")}
    Worker.objects.filter(pk=worker.pk).update(**values)
    assert worker.name in refusal(ana, trained)


def test_a_worker_of_the_owners_team_may_keep_it(ana: User, trained: Run, worker: Worker, team: Team) -> None:
    Worker.objects.filter(pk=worker.pk).update(team=team)
    assert make_run(ana, trained.dataset, initial_run=trained).job.bound_to == worker
    assert claim_job(make_worker("gpu-3"), ABLE) is None
