"""Each hyperparameter is explained: label, help, range, words for its choices and for no value."""

from typing import Any

import pytest
from pydantic import ValidationError

from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.declaration import GROUP_LABELS, Group
from bert_training.tasks.hyperparameters.problems import field_problems
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.spec import TaskSpec

DECLARED = [
    (spec, name, schema)
    for spec in TASKS.values()
    for name, schema in spec.hyperparameters.model_json_schema()["properties"].items()
]


@pytest.mark.parametrize(("spec", "name", "schema"), DECLARED, ids=[f"{one[0].name}-{one[1]}" for one in DECLARED])
def test_a_hyperparameter_is_explained(spec: TaskSpec, name: str, schema: dict[str, Any]) -> None:
    assert schema["title"][0].isupper()
    assert schema["description"].endswith(".")
    assert GROUP_LABELS[Group(schema["group"])]
    kinds = schema.get("anyOf", [schema])
    value = {**schema, **kinds[0]}
    if "enum" in value:
        assert set(schema["choices"]) == set(value["enum"])
    elif value["type"] in ("integer", "number"):
        assert {"minimum", "exclusiveMinimum"} & set(value)
        assert {"maximum", "exclusiveMaximum"} & set(value)
    assert ({"type": "null"} in kinds) == ("empty" in schema)


@pytest.mark.parametrize(
    ("name", "refused", "limits"),
    [
        ("weight_decay", 2.0, "from 0 to 1."),
        ("label_smoothing_factor", 1.0, "from 0 to 1, but not 1."),
        ("dropout", 1.0, "from 0 to 1, but not 1."),
        ("layer_lr_decay", 0.0, "from 0 to 1, but not 0."),
        ("train_split", 1.0, "between 0 and 1, without these two."),
    ],
)
def test_a_refusal_names_the_limits_that_are(name: str, refused: float, limits: str) -> None:
    """One that says "from 0 to 1" of a 1 that it refuses helps nobody."""
    with pytest.raises(ValidationError) as refusal:
        Hyperparameters.model_validate({name: refused})
    (problem,) = field_problems(refusal.value, Hyperparameters)
    assert (problem.message % problem.values).endswith(limits)
