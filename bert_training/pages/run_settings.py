"""The hyperparameters of a run in words: first what is not as usual, then everything, group by group."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bert_training.models import Run
from bert_training.pages.words import Fact
from bert_training.run_form import shown_number
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.declaration import GROUP_LABELS, Group
from bert_training.tasks.hyperparameters.groups import names_by_group, names_in_order
from bert_training.tasks.spec import TaskSpec


@dataclass(frozen=True)
class ShownSettings:
    """preset: label of the preset whose values these are.  essentials: always shown, with what is not as usual.

    groups: all settings under the names of their groups; those that no group knows, of an older portal, at the end.
    """

    preset: str
    essentials: list[Fact]
    groups: list[tuple[str, list[Fact]]]


def settings_of(run: Run) -> ShownSettings:
    """Return each hyperparameter with its label and unit; `is_first` marks those that are not as usual."""
    spec = TASKS.get(run.task)
    if spec is None:
        return ShownSettings("", [], [("", [Fact(name, str(value)) for name, value in run.hyperparameters.items()])])
    facts = facts_by_name(run, spec)
    names = names_by_group(spec.hyperparameters)
    basics = names.get(Group.BASICS, [])
    essentials = [facts[name] for name in basics if name in facts]
    essentials += [fact for name, fact in facts.items() if fact.is_first and name not in basics]
    groups = [
        (_(GROUP_LABELS[group]), [facts[name] for name in own if name in facts])
        for group, own in names.items()
        if group is not Group.BASICS
    ]
    others = [fact for name, fact in facts.items() if name not in spec.hyperparameters.model_fields]
    return ShownSettings(_preset_of(run, spec), essentials, [*groups, *([(_("Others"), others)] if others else [])])


def facts_by_name(run: Run, spec: TaskSpec) -> dict[str, Fact]:
    """Return a fact for each stored hyperparameter, in the order of the form."""
    declared: dict[str, Any] = spec.hyperparameters.model_json_schema()["properties"]
    others = [name for name in run.hyperparameters if name not in declared]
    return {
        name: _setting(name, run.hyperparameters[name], declared.get(name, {}))
        for name in [*names_in_order(spec.hyperparameters), *others]
        if name in run.hyperparameters
    }


def _preset_of(run: Run, spec: TaskSpec) -> str:
    """Return the label of the preset that a run was made with, unless something was changed."""
    presets = (each for each in spec.presets if spec.preset_settings(each).model_dump() == run.hyperparameters)
    return next((_(preset.label) for preset in presets), "")


def _setting(name: str, value: Any, schema: dict[str, Any]) -> Fact:
    has_unit = schema.get("unit") and value is not None and value != 1  # units are plural; "1" speaks for itself
    unit = _(schema["unit"]) if has_unit else ""
    words = schema.get("choices", {})
    if value is None:
        text = _(schema["empty"]) if "empty" in schema else ""
    else:
        text = _(words[value]) if isinstance(value, str) and value in words else _value_text(value)
    label = _(schema["title"]) if "title" in schema else name
    return Fact(label, text, unit=unit, is_first="default" in schema and value != schema["default"])


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return shown_number(value)
    return str(number_format(value)) if isinstance(value, int) else str(value)
