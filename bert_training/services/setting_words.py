"""The hyperparameters of a run in the reader's words: label, value and unit of each, as the task declares them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import get_format, number_format
from django.utils.translation import gettext as _

from bert_training.models import Run
from bert_training.tasks.hyperparameters.groups import names_in_order
from bert_training.tasks.spec import TaskSpec


@dataclass(frozen=True)
class SettingWords:
    """One setting. is_unusual: its value is another than the portal's own."""

    label: str
    text: str
    unit: str
    is_unusual: bool


def words_by_name(run: Run, spec: TaskSpec) -> dict[str, SettingWords]:
    """Return the words for each stored hyperparameter, in the order of the form."""
    declared: dict[str, Any] = spec.hyperparameters.model_json_schema()["properties"]
    others = [name for name in run.hyperparameters if name not in declared]
    return {
        name: _setting(name, run.hyperparameters[name], declared.get(name, {}))
        for name in [*names_in_order(spec.hyperparameters), *others]
        if name in run.hyperparameters
    }


def shown_number(value: float) -> str:
    """Write a number without exponent and with the decimal separator of the language: 0,00005."""
    whole, _point, decimals = format(Decimal(repr(value)), "f").partition(".")
    return f"{whole}{get_format('DECIMAL_SEPARATOR')}{decimals}" if decimals.strip("0") else whole


def _setting(name: str, value: Any, schema: dict[str, Any]) -> SettingWords:
    has_unit = schema.get("unit") and value is not None and value != 1  # units are plural; "1" speaks for itself
    unit = _(schema["unit"]) if has_unit else ""
    words = schema.get("choices", {})
    if value is None:
        text = _(schema["empty"]) if "empty" in schema else ""
    else:
        text = _(words[value]) if isinstance(value, str) and value in words else _value_text(value)
    label = _(schema["title"]) if "title" in schema else name
    return SettingWords(label, text, unit, is_unusual="default" in schema and value != schema["default"])


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return shown_number(value)
    return str(number_format(value)) if isinstance(value, int) else str(value)
