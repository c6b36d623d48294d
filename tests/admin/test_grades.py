"""Staff edit the scales of grades; what was changed stands in the history."""

import pytest
from django.test import Client

from bert_training.models import GradeScale
from bert_training.services.proving.grades import Grade, grade_of
from tests.admin.rows import list_of, page_of

FORM = {"metric": "auc_roc", "excellent": "0.95", "good": "0.9", "fair": "0.8"}


def scale_of(metric: str) -> GradeScale:
    return GradeScale.objects.get(metric=metric)


@pytest.mark.parametrize(
    ("metric", "value", "grade"),
    [
        ("accuracy", 0.9, Grade.EXCELLENT),
        ("accuracy", 0.81, Grade.GOOD),
        ("f1_weighted", 0.94, Grade.GOOD),
        ("f1_weighted", 0.95, Grade.EXCELLENT),
        ("f1_macro", 0.8, Grade.EXCELLENT),
        ("f1", 0.59, Grade.LOW),
    ],
)
def test_grades_begin_with_the_values_of_the_sources(db: None, metric: str, value: float, grade: Grade) -> None:
    assert grade_of(value, scale_of(metric)) == grade


def test_a_change_is_kept_with_its_old_and_new_value(staff: Client, db: None) -> None:
    scale = scale_of("accuracy")
    staff.post(page_of("gradescale", scale.pk), {"excellent": "0.92", "good": "0.8", "fair": "0.7"})
    scale.refresh_from_db()
    assert (scale.metric, scale.excellent) == ("accuracy", 0.92)
    history = staff.get(page_of("gradescale", scale.pk).replace("change", "history")).content.decode()
    assert "0.9000 \u2192 0.9200" in history


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"good": "0.96"}, "good"),
        ({"fair": "0.91"}, "fair"),
        ({"excellent": "1.1"}, "excellent"),
        ({"metric": "x"}, "metric"),
    ],
)
def test_a_scale_that_makes_no_sense_is_refused_at_its_field(
    staff: Client, db: None, wrong: dict[str, str], field: str
) -> None:
    response = staff.post(f"{list_of('gradescale')}add/", FORM | wrong)
    assert field in response.context["adminform"].form.errors


def test_a_figure_gets_a_scale(staff: Client, db: None) -> None:
    staff.post(f"{list_of('gradescale')}add/", FORM)
    assert scale_of("auc_roc").good == 0.9
    assert "AUC-ROC" in staff.get(list_of("gradescale")).content.decode()
