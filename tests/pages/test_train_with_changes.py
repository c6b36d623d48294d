"""From a run to the next one with other settings: its form begins with what the run had."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import JobStatus
from bert_training.models import Dataset, Run
from tests.pages.test_run_new import fields
from tests.personas import make_run, ready_dataset


@pytest.fixture
def failed_run(ana: User, dataset: Dataset) -> Run:
    """A run of unusual settings for which a GPU was too small."""
    run = make_run(ana, dataset, name="Triagem", hyperparameters={"batch_size": 48, "learning_rate": 0.00007})
    Run.objects.filter(pk=run.pk).update(
        status=JobStatus.FAILED, error_code="gpu_out_of_memory", finished_at=timezone.now()
    )
    return run


def address(run: Run) -> str:
    """Return where a run leads for another with changes."""
    return f"/runs/new?dataset={run.dataset_id}&like={run.pk}"


def test_the_form_begins_as_the_run_was_and_repeats_the_advice(as_ana: Client, failed_run: Run) -> None:
    response = as_ana.get(address(failed_run))
    form, page = response.context["form"], response.content.decode()
    assert (form.value_of("batch_size"), form.value_of("learning_rate")) == (48, 0.00007)
    assert response.context["chosen_base_model"] == failed_run.base_model
    assert "“Triagem”" in page
    assert "Halve the batch size" in page


def test_run_page_and_first_page_lead_there_until_it_is_trained_anew(as_ana: Client, failed_run: Run) -> None:
    link = f'href="{address(failed_run).replace("&", "&amp;")}"'
    assert link in as_ana.get(f"/runs/{failed_run.pk}").content.decode()
    assert link in as_ana.get("/").content.decode()
    assert as_ana.post(address(failed_run), fields(batch_size="24")).status_code == 302
    assert Run.objects.latest("pk").hyperparameters["batch_size"] == 24
    assert link not in as_ana.get("/").content.decode()


def test_a_preview_does_not_forget_the_run(as_ana: Client, failed_run: Run) -> None:
    page = as_ana.post(address(failed_run), fields(batch_size="24") | {"preview": "1"}).content.decode()
    assert f'formaction="?dataset={failed_run.dataset_id}&amp;like={failed_run.pk}#split"' in page
    assert Run.objects.count() == 1


@pytest.mark.parametrize("like", ["nothing", "0", "99999"])
def test_a_wrong_run_in_the_address_fills_nothing(as_ana: Client, dataset: Dataset, like: str) -> None:
    response = as_ana.get("/runs/new", {"dataset": str(dataset.pk), "like": like})
    assert response.status_code == (404 if like.isdecimal() else 200)


def test_a_stranger_learns_no_setting(as_carla: Client, carla: User, failed_run: Run) -> None:
    own = ready_dataset(carla)
    assert as_carla.get("/runs/new", {"dataset": str(own.pk), "like": str(failed_run.pk)}).status_code == 404
