"""The hyperparameters that every task has (S0.41-S0.52): one declaration for form, API, OpenAPI and worker.

`json_schema_extra` carries what a form shows: label, unit, group. Help is the field's description (message ids).
"""

from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bert_training.contract.wording import gettext_noop
from bert_training.data.splitting.split import Shares
from bert_training.tasks.shares import SharesRefused, check_shares, read_shares, shares_of

PROBLEMS_NAMED = 50  # a body of a megabyte has room for 40,000


def hyperparameter(
    default: Any,
    label: str,
    description: str,
    *,
    unit: str = "",
    empty: str = "",
    choices: dict[str, str] | None = None,
    **limits: Any,
) -> Any:
    """Declare one field: default, label, help, unit and words of choices for the form, limits for validation.

    empty: the words for no value.
    """
    extra: dict[str, Any] = {"unit": unit, **({"empty": empty} if empty else {})}
    extra |= {"choices": choices} if choices else {}
    return Field(default=default, title=label, description=description, json_schema_extra=extra, **limits)


class Hyperparameters(BaseModel):
    """Settings of one run; unknown names and wrong types are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    epochs: int = hyperparameter(
        10,
        gettext_noop("Epochs"),
        gettext_noop("How often the network sees the whole training split."),
        unit=gettext_noop("passes"),
        ge=1,
        le=1000,
    )
    batch_size: int = hyperparameter(
        16,
        gettext_noop("Batch size"),
        gettext_noop("Texts computed at once. Halve it when the GPU runs out of memory."),
        unit=gettext_noop("texts"),
        ge=1,
        le=1024,
    )
    learning_rate: float = hyperparameter(
        5e-5,
        gettext_noop("Learning rate"),
        gettext_noop("Size of a step. 2e-5 to 5e-5 suits BERT; larger forgets what the base model knows."),
        ge=1e-9,
        le=0.1,
        allow_inf_nan=False,
    )
    max_length: int = hyperparameter(
        512,
        gettext_noop("Maximum length"),
        gettext_noop("Longer texts are cut to this many tokens. Shorter trains faster and needs less memory."),
        unit=gettext_noop("tokens"),
        ge=8,
        le=131072,
    )
    train_split: float = hyperparameter(
        0.7,
        gettext_noop("Training share"),
        gettext_noop("Share of the rows to train on; the rest is halved into validation and test unless one is named."),
        gt=0,
        lt=1,
        allow_inf_nan=False,
    )
    validation_split: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] | None = hyperparameter(
        None,
        gettext_noop("Validation share"),
        gettext_noop("Share of the rows that choose the best checkpoint; empty = what training and test leave."),
        empty=gettext_noop("the rest"),
    )
    test_split: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] | None = hyperparameter(
        None,
        gettext_noop("Test share"),
        gettext_noop("Share of the rows that give the final figures; empty = what training and validation leave."),
        empty=gettext_noop("the rest"),
    )
    warmup_steps: int = hyperparameter(
        0,
        gettext_noop("Warm-up"),
        gettext_noop("Steps in which the learning rate rises from zero."),
        unit=gettext_noop("steps"),
        ge=0,
        le=1_000_000,
    )
    weight_decay: float = hyperparameter(
        0.01,
        gettext_noop("Weight decay"),
        gettext_noop("Pulls weights towards zero, against learning by heart."),
        ge=0,
        le=1,
        allow_inf_nan=False,
    )
    gradient_accumulation_steps: int = hyperparameter(
        1,
        gettext_noop("Gradient accumulation"),
        gettext_noop("Batches summed before each step: a large batch on a small GPU."),
        unit=gettext_noop("batches"),
        ge=1,
        le=1024,
    )
    early_stopping_patience: int = hyperparameter(
        3,
        gettext_noop("Early stopping patience"),
        gettext_noop("Epochs without improvement after which training stops; 0 never stops early."),
        unit=gettext_noop("epochs"),
        ge=0,
        le=1000,
    )
    use_class_weights: bool = hyperparameter(
        True,
        gettext_noop("Class weights"),
        gettext_noop("Makes rare classes count as much as frequent ones in the loss."),
    )
    truncation_side: Literal["right", "left"] = hyperparameter(
        "right",
        gettext_noop("Cut long texts at"),
        gettext_noop("right keeps the beginning of a long text, left keeps its end."),
        choices={"right": gettext_noop("the end (right)"), "left": gettext_noop("the beginning (left)")},
    )
    seed: int = hyperparameter(
        42,
        gettext_noop("Seed"),
        gettext_noop("Same seed, same split and same order of the data."),
        ge=0,
        le=2**32 - 1,
    )
    max_steps: Annotated[int, Field(ge=1, le=10_000_000)] | None = hyperparameter(
        None,
        gettext_noop("Maximum steps"),
        gettext_noop("Ends training after this many steps, for a quick trial; empty = all epochs."),
        unit=gettext_noop("steps"),
        empty=gettext_noop("no limit"),
    )

    @model_validator(mode="before")
    @classmethod
    def _read_shares(cls, given: Any) -> Any:
        return read_shares(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        check_shares(self.train_split, self.validation_split, self.test_split)
        return self

    @property
    def shares(self) -> Shares:
        """Return the shares of the three splits."""
        return shares_of(self.train_split, self.validation_split, self.test_split)


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
    refused = [reason for reason in reasons if isinstance(reason, SharesRefused)]
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
    elif "exclusiveMinimum" in schema:
        message = gettext_noop("%(name)s must be a number between %(minimum)s and %(maximum)s, without these two.")
    else:
        message = gettext_noop("%(name)s must be a number from %(minimum)s to %(maximum)s.")
    return FieldProblem(name, message, values)


def _limits(schema: dict[str, Any]) -> dict[str, str]:
    minimum = schema.get("minimum", schema.get("exclusiveMinimum", ""))
    maximum = schema.get("maximum", schema.get("exclusiveMaximum", ""))
    return {"minimum": str(minimum), "maximum": str(maximum), "choices": ", ".join(schema.get("enum", []))}
