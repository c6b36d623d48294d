"""Grades a figure in one word by the scales that staff edit (S1.26, S2.17)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bert_training.data.proof.shape import Figure, Proof
from bert_training.models import GradeScale

Scales = Mapping[str, GradeScale]  # by the name of the figure


class Grade(StrEnum):
    """The words of a scale. Sent by the API: never renamed."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    LOW = "low"


IS_GOOD = frozenset({Grade.EXCELLENT, Grade.GOOD})


@dataclass(frozen=True)
class Graded:
    """The figure by which a model is graded. grade: of its value.  worst: of the low end of its interval.

    Both are None where the figure, its interval or its scale is missing.
    """

    metric: str
    figure: Figure
    grade: Grade | None
    worst: Grade | None


def load_scales() -> Scales:
    """Return all scales; one query."""
    return {scale.metric: scale for scale in GradeScale.objects.all()}


def grade_of(value: float | None, scale: GradeScale | None) -> Grade | None:
    """Return the word for a value."""
    if value is None or scale is None:
        return None
    steps = ((Grade.EXCELLENT, scale.excellent), (Grade.GOOD, scale.good), (Grade.FAIR, scale.fair))
    return next((grade for grade, least in steps if value >= least), Grade.LOW)


def graded(proof: Proof, scales: Scales, *, task_metric: str) -> Graded:
    """Grade the deciding figure, or the task's own where that one has no scale, as a loss has none."""
    metric = proof["metric"] if proof["metric"] in scales else task_metric
    figure = proof["figures"].get(metric, Figure(value=None, low=None, high=None))
    scale = scales.get(metric)
    return Graded(metric, figure, grade_of(figure["value"], scale), grade_of(figure["low"], scale))
