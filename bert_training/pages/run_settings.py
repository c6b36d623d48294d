"""The hyperparameters of a run in words: first what is not as usual, then everything, group by group."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from bert_training.models import Run
from bert_training.pages.words import Fact
from bert_training.services.setting_words import words_by_name
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.declaration import GROUP_LABELS, Group
from bert_training.tasks.hyperparameters.groups import names_by_group
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
    return {
        name: Fact(words.label, words.text, unit=words.unit, is_first=words.is_unusual)
        for name, words in words_by_name(run, spec).items()
    }


def _preset_of(run: Run, spec: TaskSpec) -> str:
    """Return the label of the preset that a run was made with, unless something was changed."""
    presets = (each for each in spec.presets if spec.preset_settings(each).model_dump() == run.hyperparameters)
    return next((_(preset.label) for preset in presets), "")
