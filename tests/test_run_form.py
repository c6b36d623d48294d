"""The form generated from a task's hyperparameters: typed fields, words in the reader's language, errors in place."""

from typing import Any

import pytest
from django.utils import translation

from bert_training.run_form import HyperparametersForm, field_for
from bert_training.services.setting_words import shown_number
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.settings import Hyperparameters

# Every field as a browser sends it; a box that is not ticked is not sent.
FILLED = {
    name: "on" if value is True else str("" if value is None else value)
    for name, value in Hyperparameters().model_dump().items()
    if value is not False
} | {"epochs": "3", "learning_rate": "0,00002", "weight_decay": "0,01"}


def form_with(**changes: str) -> HyperparametersForm:
    return HyperparametersForm(Hyperparameters, {**FILLED, **changes})


def values_with(**changes: str) -> dict[str, Any]:
    form = form_with(**changes)
    assert form.is_valid(), form.errors
    return form.hyperparameters()


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_task_gets_a_form_whose_defaults_are_its_own(task: Any) -> None:
    form = HyperparametersForm(task.hyperparameters)
    shown = {name: form[name].initial for name in form.hyperparameter_names}
    assert shown == task.hyperparameters().model_dump()


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_a_form_sent_back_as_it_was_shown_gives_the_defaults(language: str) -> None:
    with translation.override(language):
        blank = HyperparametersForm(Hyperparameters)
        shown = {name: blank[name].value() for name in blank.hyperparameter_names}
        sent = {name: str(value) for name, value in shown.items() if value is not None and value is not False}
        form = HyperparametersForm(Hyperparameters, sent)
        assert form.is_valid(), form.errors
    assert Hyperparameters(**form.hyperparameters()) == Hyperparameters()


def test_values_have_the_types_that_the_task_declares() -> None:
    values = values_with(max_steps="100")
    assert Hyperparameters(**values).max_steps == 100
    assert {name: type(value) for name, value in values.items() if name in ("epochs", "learning_rate")} == {
        "epochs": int,
        "learning_rate": float,
    }


@pytest.mark.parametrize("language", ["en", "pt-br"])
@pytest.mark.parametrize("text", ["0,00002", "0.00002", "2e-5", "2E-05", " 0,00002 ", ",00002", "+2,0e-5"])
def test_a_decimal_number_is_understood_in_every_spelling(language: str, text: str) -> None:
    with translation.override(language):
        assert values_with(learning_rate=text)["learning_rate"] == 2e-5


@pytest.mark.parametrize(
    "text", ["", "x", "1.000,5", "1,2,3", "nan", "inf", "1e999", "--1", "e5", ".", "0x1", "\u0661"]
)
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    assert list(form_with(learning_rate=text).errors) == ["learning_rate"]


@pytest.mark.parametrize("text", ["", "x", "1.000", "1,000", "2.0", "1e3", "9" * 30, "1 0", "\u0663"])
def test_a_whole_number_is_digits_only(text: str) -> None:
    assert list(form_with(epochs=text).errors) == ["epochs"]


def test_an_optional_number_may_stay_empty() -> None:
    assert values_with(max_steps="")["max_steps"] is None


def test_a_box_that_is_not_ticked_is_false() -> None:
    form = HyperparametersForm(Hyperparameters, {name: text for name, text in FILLED.items() if text != "on"})
    assert form.is_valid()
    assert form.hyperparameters()["use_class_weights"] is False


def test_a_choice_outside_the_list_is_refused() -> None:
    assert list(form_with(truncation_side="centre").errors) == ["truncation_side"]


def test_numbers_are_written_without_exponent_in_the_form_of_the_language() -> None:
    with translation.override("pt-br"):
        assert [shown_number(value) for value in (5e-5, 0.7, 1e-9, 1.0)] == ["0,00005", "0,7", "0,000000001", "1"]
    with translation.override("en"):
        assert shown_number(5e-5) == "0.00005"


def test_the_unit_stands_at_the_label_and_the_range_behind_the_help() -> None:
    with translation.override("en"):
        form = HyperparametersForm(Hyperparameters)
        assert form.fields["epochs"].label == "Epochs (passes)"
        assert form.fields["epochs"].help_text.endswith("(at least 1, at most 1000)")
        assert form.fields["train_split"].help_text.endswith("(more than 0, less than 1)")


def test_the_groups_hold_every_field_once_the_essentials_first() -> None:
    groups = HyperparametersForm(Hyperparameters).groups()
    names = [setting.field.name for group in groups for setting in group.settings]
    assert sorted(names) == sorted(Hyperparameters.model_fields)
    assert [group.is_basic for group in groups] == [True] + [False] * (len(groups) - 1)
    assert not any(group.changed or group.is_open for group in groups)


def changed_in(form: HyperparametersForm) -> set[str]:
    return {setting.field.name for group in form.groups() for setting in group.settings if setting.is_changed}


def test_a_form_begins_with_the_values_of_a_preset() -> None:
    form = HyperparametersForm(Hyperparameters, preset={"epochs": 2, "warmup_ratio": 0.1})
    assert (form["epochs"].value(), form.value_of("warmup_ratio"), form.value_of("batch_size")) == (2, 0.1, 16)
    assert changed_in(form) == set()


def test_what_is_other_than_the_preset_is_marked_and_its_group_opens() -> None:
    sent = {**FILLED, "epochs": "2", "learning_rate": "0,00005", "lora_r": "8", "seed": "x"}
    form = HyperparametersForm(Hyperparameters, sent, preset={"epochs": 2, "warmup_ratio": 0.1})
    assert changed_in(form) == {"warmup_ratio", "lora_r", "seed"}
    assert [group.name for group in form.groups() if group.is_open] == ["texts", "learning", "adapter"]


def test_problems_of_the_service_stand_at_their_fields() -> None:
    form = form_with()
    assert form.is_valid()
    form.add_problems(
        [
            {"path": "hyperparameters.epochs", "message": "too many"},
            {"path": "seed", "message": "unlucky"},
            {"path": "hyperparameters.unknown", "message": "what is this"},
            {"path": "", "message": "nothing fits"},
        ]
    )
    assert form.errors["epochs"] == ["too many"]
    assert form.errors["seed"] == ["unlucky"]
    assert form.non_field_errors() == ["hyperparameters.unknown: what is this", "nothing fits"]


@pytest.mark.parametrize("schema", [{"type": "array"}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}])
def test_a_type_that_no_form_can_show_is_named(schema: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="target_modules"):
        field_for("target_modules", {"title": "Modules", **schema})


def test_a_refused_value_is_marked_as_changed_only_when_it_was() -> None:
    """A preset's own warm-up may be too long for the rows at hand."""
    preset = {"warmup_steps": 100, "learning_rate": 2e-5}
    form = HyperparametersForm(Hyperparameters, {**FILLED, "warmup_steps": "100", "epochs": "x"}, preset=preset)
    form.add_problems([{"path": f"hyperparameters.{name}", "message": "no"} for name in ("warmup_steps", "seed")])
    assert changed_in(form) == {"epochs"}
