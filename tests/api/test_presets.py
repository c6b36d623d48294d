"""Presets over the API: listed with the task, named instead of forty values."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from bert_training.models import Dataset, Run
from bert_training.tasks import TASKS
from tests.api.conftest import Api, outcome_of
from tests.personas import BASE_MODEL

TEXTS = TASKS["text-classification"]


def send(api: Api, person: User, dataset: Dataset, **wanted: Any) -> Any:
    return api.as_person(person).post("/runs", {"dataset": dataset.pk, "base_model": BASE_MODEL, **wanted})


@pytest.mark.parametrize("preset", [preset for preset in TEXTS.presets if preset.name != "suporte-venda"])
def test_a_run_gets_the_values_of_its_preset(api: Api, ana: User, dataset: Dataset, preset: Any) -> None:
    assert send(api, ana, dataset, preset=preset.name).status_code == 201
    assert Run.objects.get().hyperparameters == TEXTS.preset_settings(preset).model_dump()


def test_what_is_given_stands_above_the_preset(api: Api, ana: User, dataset: Dataset) -> None:
    shown = send(api, ana, dataset, preset="rapido", hyperparameters={"epochs": 7}).json()["hyperparameters"]
    assert (shown["epochs"], shown["max_length"]) == (7, 128)


@pytest.mark.parametrize("preset", ["fast", "x" * 201, 7, None])
def test_an_unknown_preset_is_named(api: Api, ana: User, dataset: Dataset, preset: Any) -> None:
    response = send(api, ana, dataset, preset=preset)
    assert outcome_of(response) == (400, "invalid_field")
    assert response.json()["errors"][0]["path"] == "preset"
    assert not Run.objects.exists()


def test_a_recipe_for_more_rows_than_there_are_says_so(api: Api, ana: User, dataset: Dataset) -> None:
    response = send(api, ana, dataset, preset="suporte-venda")
    assert outcome_of(response) == (400, "invalid_field")
    assert response.json()["errors"][0]["path"] == "hyperparameters.warmup_steps"


def test_a_task_lists_presets_and_hyperparameters_in_the_callers_words(api: Api, ana: User) -> None:
    page = api.as_person(ana).get("/tasks", accept_language="en").json()
    shown = next(task for task in page["results"] if task["name"] == TEXTS.name)
    assert [preset["name"] for preset in shown["presets"]] == [preset.name for preset in TEXTS.presets]
    assert shown["presets"][0]["label"] == "Quick"
    assert shown["presets"][0]["values"]["epochs"] == 2
    properties = shown["hyperparameters"]["properties"]
    assert list(properties)[:2] == ["epochs", "batch_size"]
    assert (properties["epochs"]["group"], properties["epochs"]["group_label"]) == ("basics", "The essentials")
    assert properties["truncation_side"]["choices"]["right"] == "cut the end"
    assert properties["max_steps"]["empty"] == "no limit"
    assert (properties["epochs"]["unit"], properties["epochs"]["minimum"], properties["epochs"]["default"]) == (
        "passes",
        1,
        10,
    )
