"""Each hyperparameter is explained: label, help, range, words for its choices and for no value."""

from typing import Any

import pytest

from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.declaration import GROUP_LABELS, Group
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
