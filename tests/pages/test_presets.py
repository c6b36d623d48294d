"""Presets on the page of a new run: they fill the form on the server; what differs is marked; groups open for it."""

import re
from typing import Any

import pytest
from django.test import Client

from bert_training.models import Dataset, Run
from bert_training.tasks import TASKS
from tests.pages.test_run_new import fields

TEXTS = TASKS["text-classification"]


def shown(client: Client, dataset: Dataset, preset: str) -> str:
    return client.get("/runs/new", {"dataset": str(dataset.pk), "preset": preset}).content.decode()


def groups_open(content: str) -> list[bool]:
    return [bool(mark) for mark in re.findall(r"<details data-group( open)?>", content)]


@pytest.mark.parametrize("preset", TEXTS.presets, ids=lambda preset: preset.name)
def test_a_preset_fills_the_form_with_its_values(as_ana: Client, dataset: Dataset, preset: Any) -> None:
    response = as_ana.get("/runs/new", {"dataset": str(dataset.pk), "preset": preset.name})
    form = response.context["form"]
    values = {name: form.value_of(name) for name in form.hyperparameter_names}
    assert values == TEXTS.preset_settings(preset).model_dump()
    content = response.content.decode()
    assert f'data-preset="{preset.name}" aria-current="true"' in content
    assert f'name="preset" value="{preset.name}"' in content
    assert not any(groups_open(content))


def test_the_form_of_a_preset_sent_back_creates_a_run_with_its_values(as_ana: Client, dataset: Dataset) -> None:
    response = as_ana.get("/runs/new", {"dataset": str(dataset.pk), "preset": "rapido"})
    blank = response.context["form"]
    sent = {name: blank[name].value() for name in blank.hyperparameter_names}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    assert as_ana.post(f"/runs/new?dataset={dataset.pk}", fields() | sent | {"preset": "rapido"}).status_code == 302
    assert Run.objects.get().hyperparameters == TEXTS.preset_settings(TEXTS.presets[0]).model_dump()


def test_a_group_opens_for_what_was_changed_or_is_wrong(as_ana: Client, dataset: Dataset) -> None:
    assert groups_open(shown(as_ana, dataset, "")) == [False] * 5
    address = f"/runs/new?dataset={dataset.pk}"
    content = as_ana.post(address, fields(lora_r="8", preset="1", eval_steps="x")).content.decode()
    assert groups_open(content) == [False, False, True, True, False]
    assert content.count('class="setting is-changed"') == 2
    assert content.count("changed: 1") == 2


def test_the_effective_batch_is_shown(as_ana: Client, dataset: Dataset) -> None:
    assert re.search(r"<output data-effective-batch>32</output>", shown(as_ana, dataset, "suporte-venda"))


@pytest.mark.parametrize("preset", ["nothing", "<script>", "\x00"])
def test_a_strange_preset_in_the_address_is_none(as_ana: Client, dataset: Dataset, preset: str) -> None:
    content = shown(as_ana, dataset, preset)
    assert 'data-preset="" aria-current="true"' in content


def test_settings_that_do_not_go_together_are_refused_at_one_of_them(as_ana: Client, dataset: Dataset) -> None:
    response = as_ana.post(f"/runs/new?dataset={dataset.pk}", fields(warmup_steps="1", warmup_ratio="0,1"))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["warmup_ratio"]
