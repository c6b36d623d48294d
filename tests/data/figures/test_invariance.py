"""No figure depends on how answers were batched, ordered, cut, sent, stored, or how classes are called."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bert_training.data.figures.calibration import expected_calibration_error
from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.prediction_files import read_predictions, write_predictions
from bert_training.data.predicting.prediction_records import from_records, to_records
from bert_training.data.predicting.predictions import (
    EntityAnswers,
    LabelAnswers,
    Predictions,
    merge,
    prediction_digest,
)
from tests.data.figures.cases import KINDS, entity_case, label_case, names_of, near, predictions_of

DRAWN = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANSWERS = st.one_of(
    st.builds(label_case, st.integers(0, 999), rows=st.integers(1, 60), classes=st.integers(2, 7)),
    st.builds(entity_case, st.integers(0, 999), rows=st.integers(1, 25)),
)


def everything(answers: LabelAnswers | EntityAnswers) -> dict[str, Any]:
    """Return all that is said of answers, in a form that compares."""
    is_label = isinstance(answers, LabelAnswers)
    judgement: Judgement[Any] = LABELS if is_label else ENTITIES
    names = names_of(answers.probabilities.shape[1]) if isinstance(answers, LabelAnswers) else KINDS
    error = expected_calibration_error(*judgement.confidences(answers))
    return {
        "figures": judgement.figures(answers, names) | {"error": error},
        "classes": judgement.classes(answers, names),
        **judgement.details(answers, names),
    }


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Compare counts and rates exactly; sums of fractions may differ in the last bit."""
    return near(first.pop("figures"), second.pop("figures")) and first == second


def shuffled(part: Predictions, seed: int) -> Predictions:
    return part.take(np.random.default_rng(seed).permutation(len(part.rows)))


def in_chunks(part: Predictions, size: int) -> list[Predictions]:
    return [part.take(np.arange(start, min(start + size, len(part.rows)))) for start in range(0, len(part.rows), size)]


@DRAWN
@given(ANSWERS, st.integers(0, 99), st.integers(1, 30))
def test_neither_order_nor_chunks_change_a_figure_or_the_digest(
    answers: LabelAnswers | EntityAnswers, seed: int, size: int
) -> None:
    part = predictions_of(answers)
    chunks = in_chunks(shuffled(part, seed), size)
    (joined,) = merge(chunks[::-1])
    assert same(everything(joined.answers), everything(answers))
    assert prediction_digest(chunks) == prediction_digest([part])


@DRAWN
@given(ANSWERS, st.integers(1, 30))
def test_neither_the_wire_nor_the_file_changes_a_figure_or_the_digest(
    tmp_path: Path, answers: LabelAnswers | EntityAnswers, size: int
) -> None:
    part = predictions_of(answers)
    (sent,) = from_records(record for chunk in in_chunks(part, size) for record in to_records(chunk))
    write_predictions([sent], tmp_path / "predictions.parquet")
    (stored,) = read_predictions(tmp_path / "predictions.parquet")
    for copy in (sent, stored):
        assert everything(copy.answers) == everything(answers)
        assert prediction_digest([copy]) == prediction_digest([part])
        assert (copy.rows.tolist(), copy.units.tolist()) == (part.rows.tolist(), part.units.tolist())


@DRAWN
@given(st.integers(0, 999), st.integers(1, 60), st.integers(2, 7), st.randoms(use_true_random=False))
def test_names_of_classes_change_nothing(seed: int, rows: int, classes: int, lot: Any) -> None:
    answers = label_case(seed, rows=rows, classes=classes)
    new_ids = np.array(lot.sample(range(classes), classes))
    old_ids = np.argsort(new_ids)
    renamed = LabelAnswers(new_ids[answers.gold], new_ids[answers.predicted], answers.probabilities[:, old_ids])
    names = names_of(classes)
    figures = LABELS.figures(renamed, [names[old] for old in old_ids])
    assert near(figures, LABELS.figures(answers, names))
    by_name = {row["name"]: row for row in LABELS.classes(renamed, [names[old] for old in old_ids])}
    assert [by_name[name] for name in names] == LABELS.classes(answers, names)


@DRAWN
@given(st.integers(0, 999), st.integers(1, 25))
def test_names_of_entity_types_change_nothing(seed: int, rows: int) -> None:
    answers = entity_case(seed, rows=rows)
    called = dict(zip(KINDS, ["Z", "M", "C"], strict=True))
    gold, predicted = (
        [[(called[kind], *rest) for kind, *rest in row] for row in found] for found in (answers.gold, answers.predicted)
    )
    renamed: EntityAnswers = replace(answers, gold=gold, predicted=predicted)
    assert ENTITIES.figures(renamed, ["Z", "M", "C"]) == ENTITIES.figures(answers, KINDS)
    assert ENTITIES.details(renamed, ["Z", "M", "C"])["entities"] == ENTITIES.details(answers, KINDS)["entities"]


@DRAWN
@given(ANSWERS)
def test_all_rows_twice_change_no_rate(answers: LabelAnswers | EntityAnswers) -> None:
    once, twice = everything(answers), everything(answers.take(np.tile(np.arange(len(answers)), 2)))
    assert near(twice["figures"], once["figures"])
    for first, second in zip(once["classes"], twice["classes"], strict=True):
        assert second == {**first, "support": 2 * first["support"]}
