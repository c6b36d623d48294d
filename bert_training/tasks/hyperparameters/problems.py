"""Says for each wrong hyperparameter what it must be, from the declaration's own limits."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import ValidationError

from bert_training.contract.wording import gettext_noop
from bert_training.tasks.hyperparameters.refusal import SettingRefused
from bert_training.tasks.hyperparameters.settings import Hyperparameters

PROBLEMS_NAMED = 50  # a body of a megabyte has room for 40,000
_NUMBERS = {  # by whether minimum and maximum are themselves out of bounds
    (False, False): gettext_noop("%(name)s must be a number from %(minimum)s to %(maximum)s."),
    (False, True): gettext_noop("%(name)s must be a number from %(minimum)s to %(maximum)s, but not %(maximum)s."),
    (True, False): gettext_noop("%(name)s must be a number from %(minimum)s to %(maximum)s, but not %(minimum)s."),
    (True, True): gettext_noop("%(name)s must be a number between %(minimum)s and %(maximum)s, without these two."),
}


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one hyperparameter: its name, a message id and the values for its places.

    is_of_limits: the limits that a form shows beside the field say the same.
    """

    name: str
    message: str
    values: dict[str, str]
    is_of_limits: bool = True


def field_problems(error: ValidationError, hyperparameters: type[Hyperparameters]) -> list[FieldProblem]:
    """Say for each wrong field, of PROBLEMS_NAMED at most, what it must be, from the declaration's own limits."""
    items = error.errors(include_url=False)
    reasons = [item.get("ctx", {}).get("error") for item in items]
    refused = [reason for reason in reasons if isinstance(reason, SettingRefused)]
    if refused:
        return [FieldProblem(reason.name, reason.message, reason.values, is_of_limits=False) for reason in refused]
    found = {str(item["loc"][0]) if item["loc"] else "": item["type"] for item in items}
    properties: dict[str, Any] = hyperparameters.model_json_schema()["properties"]
    return [_field_problem(name, kind, properties) for name, kind in islice(found.items(), PROBLEMS_NAMED)]


def _field_problem(name: str, kind: str, properties: dict[str, Any]) -> FieldProblem:
    if kind == "extra_forbidden" or name not in properties:
        message = gettext_noop("There is no hyperparameter %(name)s. There are: %(known)s.")
        return FieldProblem(name[:100], message, {"name": name[:100], "known": ", ".join(sorted(properties))})
    schema = properties[name]
    schema = schema | next((option for option in schema.get("anyOf", []) if option.get("type") != "null"), {})
    values = {"name": name, **_limits(schema)}
    if "enum" in schema:
        message = gettext_noop("%(name)s must be one of: %(choices)s.")
    elif schema["type"] == "boolean":
        message = gettext_noop("%(name)s must be true or false.")
    elif schema["type"] == "integer":
        message = gettext_noop("%(name)s must be a whole number from %(minimum)s to %(maximum)s.")
    else:
        message = _NUMBERS["exclusiveMinimum" in schema, "exclusiveMaximum" in schema]
    return FieldProblem(name, message, values)


def _limits(schema: dict[str, Any]) -> dict[str, str]:
    minimum = schema.get("minimum", schema.get("exclusiveMinimum", ""))
    maximum = schema.get("maximum", schema.get("exclusiveMaximum", ""))
    return {"minimum": str(minimum), "maximum": str(maximum), "choices": ", ".join(schema.get("enum", []))}
