"""The form of a run's hyperparameters, generated from a task's pydantic model. Shared by admin and pages.

Checks shape only (a number is a number); ranges are shown here and judged once, by services.runs.create_run.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from bert_training.services.setting_words import shown_number
from bert_training.tasks.hyperparameters.declaration import GROUP_LABELS, Group
from bert_training.tasks.hyperparameters.groups import names_by_group
from bert_training.tasks.hyperparameters.settings import Hyperparameters

PATH_PREFIX = "hyperparameters."
LIMIT_WORDS = (
    ("minimum", gettext_noop("at least %(limit)s")),
    ("exclusiveMinimum", gettext_noop("more than %(limit)s")),
    ("maximum", gettext_noop("at most %(limit)s")),
    ("exclusiveMaximum", gettext_noop("less than %(limit)s")),
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
# Two digits of exponent: with 18 before the point no input becomes infinite.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,18}(?:[.,][0-9]{0,30})?|[.,][0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")


class WholeNumberField(forms.Field):
    """A whole number. Separators are refused: 1.000 means one thousand here and one there."""

    # Not type=number: for letters browsers send nothing, and the sentence below would never be read.
    widget = forms.TextInput(attrs={"inputmode": "numeric"})
    default_error_messages = {"invalid": _("“%(value)s” is not a whole number. Write digits only, for example 1000.")}

    def to_python(self, value: Any) -> int | None:
        """Return the number, None for an empty field."""
        text = str(value or "").strip()
        if not text:
            return None
        if not _INTEGER.fullmatch(text):
            raise forms.ValidationError(self.error_messages["invalid"], "invalid", {"value": text[:40]})
        return int(text)


class DecimalNumberField(forms.Field):
    """A number with decimals: 0,00002 and 0.00002 and 2e-5 are the same in every language."""

    # Not type=number: browsers judge its decimal separator by their own language, not by the page's.
    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    default_error_messages = {
        "invalid": _(
            "“%(value)s” is not a number. Write it like 0.00002, 0,00002 or 2e-5, without thousands separators."
        )
    }

    def to_python(self, value: Any) -> float | None:
        """Return the number, None for an empty field."""
        text = str(value or "").strip()
        if not text:
            return None
        if not _DECIMAL.fullmatch(text):
            raise forms.ValidationError(self.error_messages["invalid"], "invalid", {"value": text[:40]})
        return float(text.replace(",", "."))

    def prepare_value(self, value: Any) -> Any:
        """Write 5e-05 as 0,00005 (or 0.00005); what a person typed stays as it is."""
        return shown_number(value) if isinstance(value, float) else value


@dataclass(frozen=True)
class ShownSetting:
    """A field, and whether its value is another than the preset's (without one: than the usual value)."""

    field: BoundField
    is_changed: bool


@dataclass(frozen=True)
class ShownGroup:
    """A group of settings; all but the essentials fold up while nothing in them was changed or is wrong."""

    name: str
    label: str
    settings: list[ShownSetting]

    @property
    def is_basic(self) -> bool:
        """Tell whether these are the essentials."""
        return self.name == Group.BASICS

    @property
    def changed(self) -> int:
        """Count the values that are others than the preset's."""
        return sum(setting.is_changed for setting in self.settings)

    @property
    def is_open(self) -> bool:
        """Tell whether the group must be seen."""
        return any(setting.is_changed or setting.field.errors for setting in self.settings)


class HyperparametersForm(forms.Form):
    """One field for each hyperparameter of a task, after the fields that a subclass declares.

    preset: values that the form begins with and is compared to, beside those of the task.
    """

    def __init__(
        self, hyperparameters: type[Hyperparameters], *args: Any, preset: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        properties = hyperparameters.model_json_schema()["properties"]
        self._names = names_by_group(hyperparameters)
        self.hyperparameter_names = [name for names in self._names.values() for name in names]
        self.fields.update({name: field_for(name, properties[name]) for name in self.hyperparameter_names})
        self.limits = {name: _limits(_one_type(name, properties[name])) for name in self.hyperparameter_names}
        self._usual = {name: self.fields[name].initial for name in self.hyperparameter_names} | dict(preset or {})
        self.initial = {**self._usual, **self.initial}

    def groups(self) -> list[ShownGroup]:
        """Return the settings group after group."""
        return [
            ShownGroup(group.value, gettext(GROUP_LABELS[group]), [self._shown_setting(name) for name in names])
            for group, names in self._names.items()
        ]

    def value_of(self, name: str) -> Any:
        """Return the typed value of a hyperparameter now; None also for one that cannot be understood."""
        if not self.is_bound:
            return self.get_initial_for_field(self.fields[name], name)
        return None if name in self.errors else self.cleaned_data.get(name)

    def _shown_setting(self, name: str) -> ShownSetting:
        return ShownSetting(self[name], self._is_changed(name))

    def _is_changed(self, name: str) -> bool:
        if not self.is_bound or name not in self.errors:
            return bool(self.value_of(name) != self._usual[name])
        try:  # also a preset's own value may be wrong here: too many steps for these rows
            return bool(self.fields[name].clean(self[name].value()) != self._usual[name])
        except forms.ValidationError:
            return True

    def hyperparameters(self) -> dict[str, Any]:
        """Return typed values as create_run wants them; call it after is_valid()."""
        return {name: self.cleaned_data[name] for name in self.hyperparameter_names}

    def add_problems(self, errors: Iterable[Mapping[str, str]]) -> None:
        """Put errors of the form {"path", "message"} on their fields, those of no field above the form."""
        for error in errors:
            name = error["path"].removeprefix(PATH_PREFIX)
            limits = self.limits.get(name) if error.get("code") == "out_of_limits" else None
            if limits:
                self.add_error(name, gettext("This value is not possible here: %(limits)s.") % {"limits": limits})
            elif name in self.fields:
                self.add_error(name, error["message"])
            else:
                self.add_error(None, f"{error['path']}: {error['message']}" if error["path"] else error["message"])


def field_for(name: str, schema: Mapping[str, Any]) -> forms.Field:
    """Build the form field of one property of a JSON schema. Raises TypeError for a type that no form can show."""
    value = _one_type(name, schema)
    field = _typed_field(name, value, required="anyOf" not in schema)
    unit = gettext(schema["unit"]) if schema.get("unit") else ""
    title = gettext(schema["title"])
    field.label = f"{title} ({unit})" if unit else title
    field.initial = schema.get("default")
    field.help_text = _help(value)
    return field


def _one_type(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that is given, where nothing may be given too."""
    variants = [variant for variant in schema.get("anyOf", []) if variant != {"type": "null"}]
    if len(variants) > 1:
        raise TypeError(f"hyperparameter {name!r} has several types; a form needs one type, or one type or null")
    return {**schema, **(variants[0] if variants else {})}


def _typed_field(name: str, schema: Mapping[str, Any], *, required: bool) -> forms.Field:
    if "enum" in schema:
        words = schema.get("choices", {})
        choices = [(value, gettext(words.get(value, value))) for value in schema["enum"]]
        return forms.ChoiceField(choices=choices, required=required)
    match schema.get("type"):
        case "boolean":
            return forms.BooleanField(required=False)
        case "integer":
            return WholeNumberField(required=required)
        case "number":
            return DecimalNumberField(required=required)
        case "string":
            return forms.CharField(required=required, max_length=schema.get("maxLength"))
        case other:
            raise TypeError(
                f"hyperparameter {name!r} is of type {other!r}; a form shows boolean, integer, number, string"
            )


def _help(schema: Mapping[str, Any]) -> str:
    """Return the description with the range behind it: "... (at least 1, at most 1000)"."""
    limits = _limits(schema)
    description = gettext(schema["description"]) if schema.get("description") else ""
    return f"{description} ({limits})" if limits else description


def _limits(schema: Mapping[str, Any]) -> str:
    """Return the range in words: "at least 1, at most 1000"; empty when everything is possible."""
    return ", ".join(gettext(words) % {"limit": _shown(schema[key])} for key, words in LIMIT_WORDS if key in schema)


def _shown(limit: float) -> str:
    return shown_number(limit) if isinstance(limit, float) else str(limit)
