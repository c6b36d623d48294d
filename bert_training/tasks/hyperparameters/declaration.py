"""How one hyperparameter is declared: limits for validation; label, help, unit and group for forms.

`json_schema_extra` carries what a form shows; help is the field's description. All sentences are message ids.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bert_training.contract.wording import gettext_noop


class Group(StrEnum):
    """Where a form shows a hyperparameter; the order is the form's."""

    BASICS = "basics"
    TEXTS = "texts"
    LEARNING = "learning"
    ADAPTER = "adapter"
    EVALUATION = "evaluation"
    MACHINE = "machine"


GROUP_LABELS = {
    Group.BASICS: gettext_noop("The essentials"),
    Group.TEXTS: gettext_noop("Texts and splits"),
    Group.LEARNING: gettext_noop("How it learns"),
    Group.ADAPTER: gettext_noop("Adapter (LoRA)"),
    Group.EVALUATION: gettext_noop("Evaluation and checkpoints"),
    Group.MACHINE: gettext_noop("Machine"),
}

STEPS = gettext_noop("steps")
TOKENS = gettext_noop("tokens")
OptionalSteps = Annotated[int, Field(ge=1, le=10_000_000)] | None
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


class Settings(BaseModel):
    """Base of every group of settings: unknown names and wrong types are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def hyperparameter(
    default: Any,
    label: str,
    description: str,
    *,
    group: Group,
    unit: str = "",
    empty: str = "",
    choices: dict[str, str] | None = None,
    **limits: Any,
) -> Any:
    """Declare one field: default, label, help, unit and words of choices for the form, limits for validation.

    empty: the words for no value.
    """
    extra: dict[str, Any] = {"unit": unit, "group": group.value, **({"empty": empty} if empty else {})}
    extra |= {"choices": choices} if choices else {}
    return Field(default=default, title=label, description=description, json_schema_extra=extra, **limits)
