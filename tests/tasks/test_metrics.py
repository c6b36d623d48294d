"""What a task says of its figures fits what is computed."""

from typing import Any

import pytest

from bert_training.tasks import TASKS
from tests.data.figures.cases import KINDS, entity_case, label_case, names_of


@pytest.mark.parametrize(
    ("task", "answers", "names"),
    [
        ("text-classification", label_case(1, rows=30, classes=6), names_of(6)),
        ("token-classification", entity_case(1, rows=30), KINDS),
    ],
)
def test_every_figure_that_is_computed_has_a_name_for_people(task: str, answers: Any, names: list[str]) -> None:
    spec = TASKS[task]
    figures = spec.judgement.figures(answers, names)
    assert {*figures, "loss"} == {metric.name for metric in spec.metrics}
    assert set(spec.judgement.rates(spec.judgement.tally(answers, names).totals())) <= set(figures)
