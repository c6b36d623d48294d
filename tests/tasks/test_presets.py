"""Presets: each is valid for every task that offers it, says what it costs, and names only what it decides."""

import re

import pytest

from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.rules import check_against_rows, total_steps
from bert_training.tasks.presets import Preset
from bert_training.tasks.spec import TaskSpec

OFFERED = [(spec, preset) for spec in TASKS.values() for preset in spec.presets]
of_every_preset = pytest.mark.parametrize(
    ("spec", "preset"), OFFERED, ids=[f"{spec.name}-{preset.name}" for spec, preset in OFFERED]
)


@of_every_preset
def test_its_values_are_possible_together(spec: TaskSpec, preset: Preset) -> None:
    settings = spec.preset_settings(preset).model_dump()
    assert {name: settings[name] for name in preset.values} == dict(preset.values)
    assert spec.preset(preset.name) is preset


@of_every_preset
def test_it_is_named_and_explained(spec: TaskSpec, preset: Preset) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", preset.name)
    assert preset.label
    assert preset.purpose.endswith(".")


@pytest.mark.parametrize("spec", TASKS.values(), ids=TASKS)
def test_every_task_offers_three_from_quick_to_precise(spec: TaskSpec) -> None:
    names = [preset.name for preset in spec.presets]
    assert names[:3] == ["rapido", "equilibrado", "preciso"]
    assert len(set(names)) == len(names)
    quick, balanced, precise = (spec.preset_settings(preset) for preset in spec.presets[:3])
    assert quick.epochs < balanced.epochs < precise.epochs
    assert quick.max_length < balanced.max_length < precise.max_length
    assert quick.learning_rate > balanced.learning_rate > precise.learning_rate
    for settings in (quick, balanced, precise):
        check_against_rows(settings, 1)  # the general presets fit data of any size


def test_the_sources_recipes_stand_under_their_names() -> None:
    spec = TASKS["text-classification"]
    support, reviews = (spec.preset(name) for name in ("suporte-venda", "sentimento-b2w"))
    assert support is not None
    assert reviews is not None
    told = spec.preset_settings(support)
    assert (told.epochs, told.batch_size * told.gradient_accumulation_steps, told.learning_rate) == (3, 32, 5e-5)
    assert (told.weight_decay, told.warmup_steps, told.warmup_ratio) == (0.01, 100, None)
    assert (told.eval_steps, told.save_steps, told.save_total_limit, told.logging_steps) == (200, 200, 3, 100)
    assert told.model_dump()["best_metric"] == "accuracy"
    assert (told.precision, told.dataloader_num_workers, told.seed) == ("fp16", 2, 42)
    assert total_steps(told, 2134) > 200  # of the 3,100 rows that its sentence asks for, 70 % are trained on
    check_against_rows(told, int(3100 * told.train_split))
    told = spec.preset_settings(reviews)
    assert (told.max_length, told.batch_size, told.epochs, told.learning_rate) == (512, 16, 1, 2e-5)
