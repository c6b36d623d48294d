"""Creating a run from the form that the task's own declaration makes."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from bert_training.models import Dataset, Job, Run
from bert_training.tasks import TASKS
from tests.pages.conftest import client_of
from tests.personas import BASE_MODEL, make_dataset


def fields(**changes: Any) -> dict[str, Any]:
    """Fill in the form as it is suggested."""
    suggested = TASKS["text-classification"].hyperparameters().model_dump()
    shown = {name: value for name, value in suggested.items() if value is not None and value is not False}
    return {**shown, "base_model": BASE_MODEL, "name": "Minha execução", **changes}


def send(client: Client, dataset: Dataset, **changes: Any) -> Any:
    """Send the form."""
    return client.post(f"/runs/new?dataset={dataset.pk}", fields(**changes))


def test_first_the_data_is_chosen(as_ana: Client, as_carla: Client, dataset: Dataset) -> None:
    link = f"/runs/new?dataset={dataset.pk}"
    assert link in as_ana.get("/runs/new").content.decode()
    other = as_carla.get("/runs/new").content.decode()
    assert link not in other
    assert "No data to learn from yet" in other


def test_the_form_has_a_field_for_every_hyperparameter(as_ana: Client, dataset: Dataset) -> None:
    content = as_ana.get(f"/runs/new?dataset={dataset.pk}").content.decode()
    for name in TASKS[dataset.task].hyperparameters.model_fields:
        assert f'name="{name}"' in content, name
    assert "recommended" in content
    assert f'value="{BASE_MODEL}"' in content


def test_the_suggested_form_creates_a_queued_run(as_ana: Client, dataset: Dataset) -> None:
    response = send(as_ana, dataset)
    run = Run.objects.get()
    assert response.headers["Location"] == f"/runs/{run.pk}"
    assert (run.name, run.status, run.owner.username, run.simulate) == ("Minha execução", "queued", "ana", False)
    assert run.hyperparameters == TASKS[dataset.task].hyperparameters().model_dump()
    assert Job.objects.get().run == run


@pytest.mark.parametrize("text", ["0,00002", "0.00002", "2e-5"])
@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_numbers_are_taken_as_people_write_them(ana: User, dataset: Dataset, text: str, language: str) -> None:
    send(client_of(ana, language), dataset, learning_rate=text)
    assert Run.objects.get().hyperparameters["learning_rate"] == pytest.approx(2e-5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", "0"),
        ("epochs", "dois"),
        ("epochs", ""),
        ("batch_size", "1.000"),
        ("learning_rate", "1"),
        ("learning_rate", "nan"),
        ("train_split", "1"),
        ("truncation_side", "up"),
        ("max_length", "100000"),
        ("warmup_steps", "999999"),
        ("seed", "-1"),
        ("base_model", "no/such-model"),
        ("base_model", ""),
    ],
)
def test_a_wrong_value_is_named_at_its_field_and_nothing_is_created(
    as_ana: Client, dataset: Dataset, name: str, value: str
) -> None:
    response = send(as_ana, dataset, **{name: value})
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {name}
    assert f'id="id_{name}_error"' in response.content.decode() or name == "base_model"
    assert not Run.objects.exists()


def test_what_was_typed_stays_in_the_form(as_ana: Client, dataset: Dataset) -> None:
    content = send(as_ana, dataset, epochs="0", batch_size="24", base_model="bert-base-uncased").content.decode()
    assert 'value="24"' in content
    assert 'value="bert-base-uncased" checked' in content


def test_only_staff_may_simulate(as_ana: Client, as_root: Client, dataset: Dataset) -> None:
    assert 'name="simulate"' not in as_ana.get(f"/runs/new?dataset={dataset.pk}").content.decode()
    assert send(as_ana, dataset, simulate="on").status_code == 403
    assert not Run.objects.exists()
    send(as_root, dataset, simulate="on")
    assert Run.objects.get().simulate


def test_a_strangers_data_does_not_exist(as_carla: Client, dataset: Dataset) -> None:
    assert as_carla.get(f"/runs/new?dataset={dataset.pk}").status_code == 404
    assert send(as_carla, dataset).status_code == 404
    assert not Run.objects.exists()


def test_data_that_is_not_ready_leads_to_its_page(as_ana: Client, ana: User) -> None:
    dataset = make_dataset(ana)
    Dataset.objects.filter(pk=dataset.pk).update(status="checking")
    assert as_ana.get(f"/runs/new?dataset={dataset.pk}").headers["Location"] == f"/datasets/{dataset.pk}"


@pytest.mark.parametrize("wanted", ["x", "", "-1", "²", "9" * 30])
def test_a_strange_dataset_in_the_address_asks_for_one(as_ana: Client, wanted: str) -> None:
    assert as_ana.get("/runs/new", {"dataset": wanted}).status_code == 200


@pytest.mark.parametrize("limit", ["QUEUED_RUNS_PER_USER", "RUNS_PER_HOUR"])
def test_what_a_limit_refuses_stays_in_the_form(
    as_ana: Client, dataset: Dataset, settings: Settings, limit: str
) -> None:
    setattr(settings, limit, 1)
    assert send(as_ana, dataset).status_code == 302
    response = send(as_ana, dataset, epochs=7)
    assert response.status_code == 429
    assert ("Retry-After" in response.headers) == (limit == "RUNS_PER_HOUR")
    content = response.content.decode()
    assert "ana may have 1 runs in the queue and has 1" in content or "At most 1 runs may be started" in content
    assert 'value="Minha execução"' in content
    assert re.search(r'name="epochs"[^>]* value="7"', content)
    assert Run.objects.count() == 1


def test_looking_at_the_split_is_no_run(as_ana: Client, dataset: Dataset, settings: Settings) -> None:
    settings.RUNS_PER_HOUR, settings.CHECKS_PER_HOUR = 1, 2
    answers = [send(as_ana, dataset, preview="1").status_code for _time in range(3)]
    assert answers == [200, 200, 429]
    assert send(as_ana, dataset).status_code == 302
