"""Beginning from a trained model, on the pages: offered, chosen, shown, and what it waits for."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import Feature
from bert_training.models import Job, Run, Worker
from bert_training.services.jobs import complete_job
from tests.pages.test_run_new import send
from tests.personas import make_run
from tests.service_layer.test_jobs import completion


@pytest.fixture
def trained(running_job: Job, worker: Worker) -> Run:
    """Return ana's run, trained by `worker`."""
    complete_job(worker, running_job.pk, completion())
    return Run.objects.get(pk=running_job.run_id)


def test_ones_own_trained_models_are_offered_by_base_model(as_ana: Client, trained: Run) -> None:
    content = as_ana.get(f"/runs/new?dataset={trained.dataset_id}").content.decode()
    assert f'<optgroup label="{trained.base_model}">' in content
    assert f'<option value="{trained.pk}">{trained.pk} · {trained.name}</option>' in content


def test_without_a_trained_model_nothing_is_offered(as_ana: Client, run: Run) -> None:
    assert "initial_run" not in as_ana.get(f"/runs/new?dataset={run.dataset_id}").content.decode()


def test_a_refusal_stands_at_the_field(as_ana: Client, trained: Run, worker: Worker) -> None:
    Worker.objects.update(active=False)
    response = send(as_ana, trained.dataset, initial_run=trained.pk)
    assert response.status_code == 422
    assert f"is on {worker.name}, which is switched off" in response.content.decode()


def test_the_chosen_model_is_begun_from_and_shown(as_ana: Client, trained: Run, worker: Worker) -> None:
    response = send(as_ana, trained.dataset, initial_run=trained.pk)
    run = Run.objects.get(initial_run=trained)
    assert response.headers["Location"] == f"/runs/{run.pk}"
    content = as_ana.get(f"/runs/{run.pk}").content.decode()
    assert f'<a href="/runs/{trained.pk}">begins from the model of run {trained.pk}</a>' in content
    assert f"Waits for {worker.name}, which keeps the model" in content


def test_a_model_that_is_not_offered_any_more_is_not_passed_over(as_ana: Client, trained: Run) -> None:
    """Else the run would begin from the base model, and nobody know it."""
    Run.objects.filter(pk=trained.pk).update(model_fingerprint="")
    response = send(as_ana, trained.dataset, initial_run=trained.pk)
    assert response.status_code == 422
    assert "Begin from a trained model" in response.content.decode()
    assert Run.objects.count() == 1


def test_the_queue_says_for_which_computer_and_why(as_ana: Client, ana: User, trained: Run, worker: Worker) -> None:
    make_run(ana, trained.dataset, initial_run=trained)
    sentences = []
    for change in (
        {"active": False},
        {"active": True, "last_seen_at": None},
        {"last_seen_at": timezone.now(), "draining": True},
        {"draining": False, "features": []},
        {"features": [Feature.INITIAL_WEIGHTS.value]},
    ):
        Worker.objects.update(**change)
        content = as_ana.get("/queue").content.decode()
        assert f"Waits for {worker.name}, which keeps the model that it begins from" in content
        ends = ("is switched off", "is not connected now", "takes no new runs now", "must be updated first")
        sentences.append([end for end in ends if end in content])
    assert sentences == [*([end] for end in ends), []]


def test_a_run_that_one_computer_alone_can_begin_promises_no_other(
    as_ana: Client, ana: User, trained: Run, worker: Worker
) -> None:
    """Lost with a checkpoint it is held for that computer, and nobody takes it when the time is over."""
    run = make_run(ana, trained.dataset, initial_run=trained)
    Job.objects.filter(run=run).update(
        hold_worker=worker, hold_until=timezone.now() + timedelta(minutes=5), checkpoint_step=4
    )
    for address in ("/queue", f"/runs/{run.pk}"):
        content = as_ana.get(address).content.decode()
        assert f"Waits for {worker.name}, which keeps the model" in content
        assert "another computer" not in content
