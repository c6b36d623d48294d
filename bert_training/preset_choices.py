"""Presets as a form of a run offers them: what there is to choose, and what each writes into the fields.

Shared by admin and pages.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bert_training.run_form import HyperparametersForm
from bert_training.services.setting_words import shown_number
from bert_training.tasks.presets import Preset
from bert_training.tasks.spec import TaskSpec

USUAL = ""  # name of no preset: the task's own values


def preset_values(spec: TaskSpec, preset: Preset | None) -> dict[str, Any] | None:
    """Return what a form begins with; None for the usual values."""
    return spec.preset_settings(preset).model_dump() if preset else None


@dataclass(frozen=True)
class PresetChoice:
    """A preset as somebody reads it."""

    name: str
    label: str
    purpose: str
    is_chosen: bool


def preset_choices(spec: TaskSpec, chosen: Preset | None) -> list[PresetChoice]:
    """Return the usual values and all presets of a task."""
    usual = _("The portal's own values: up to ten passes, 512 tokens of each text, stops when it gets no better.")
    return [
        PresetChoice(USUAL, _("Usual values"), usual, is_chosen=chosen is None),
        *(PresetChoice(each.name, _(each.label), _(each.purpose), is_chosen=each is chosen) for each in spec.presets),
    ]


def texts_of_presets(spec: TaskSpec) -> dict[str, dict[str, str | bool]]:
    """Return for each preset what stands in each field of the form; true and false are boxes."""
    settings = {preset.name: spec.preset_settings(preset) for preset in spec.presets}
    return {
        name: {field: _field_text(value) for field, value in values.model_dump().items()}
        for name, values in {USUAL: spec.hyperparameters(), **settings}.items()
    }


def effective_batch(form: HyperparametersForm) -> int | None:
    """Return how many texts a step sees; None when it counts tokens instead, or a number is wrong."""
    texts, batches = form.value_of("batch_size"), form.value_of("gradient_accumulation_steps")
    return texts * batches if texts and batches and form.value_of("batch_tokens") is None else None


def _field_text(value: Any) -> str | bool:
    if isinstance(value, bool):
        return value
    return "" if value is None else shown_number(value) if isinstance(value, float) else str(value)
