"""Alerts, as a table: what a proof shows, which alerts follow, and that each has words in both languages."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.translation import override

from bert_training.data.proof.shape import Proof
from bert_training.services.proving.alert_words import ADVICE, COUNTED, SENTENCES, shown_alert
from bert_training.services.proving.grades import graded
from bert_training.services.proving.proof_alerts import Code, Severity, alerts, chance_error
from bert_training.services.proving.verdicts import Case
from bert_training.tasks.text_classification.spec import TEXT_CLASSIFICATION
from tests.proofs import (
    SCALES,
    calibration,
    class_proof,
    entity_errors,
    entity_proof,
    gain,
    label_errors,
    make_proof,
)

RISING = [(0.9, 0.5), (0.6, 0.6), (0.3, 0.7)]
QUIET = [(0.9, 0.5), (0.6, 0.4), (0.3, 0.3)]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with override("en"):
        yield


def case_of(proof: Proof, rows: int = 1000) -> Case:
    return Case(proof, graded(proof, SCALES, task_metric="f1_macro"), {"rows": {"train": rows}})


def codes(proof: Proof, rows: int = 1000) -> list[Code]:
    return [alert.code for alert in alerts(case_of(proof, rows), QUIET)]


def test_of_a_good_model_there_is_nothing_to_say() -> None:
    assert codes(make_proof()) == []
    assert codes(entity_proof()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gain": gain(-0.05)}, [Code.BELOW_BASELINE]),
        ({"gain": gain(0.005)}, [Code.GAIN_NOT_SHOWN]),
        ({"value": 0.5}, [Code.LOW_PERFORMANCE]),
        ({"value": 0.61}, [Code.LOW_PERFORMANCE]),
        ({"value": 0.63}, []),
        ({"validation": {"f1_macro": 0.97}}, [Code.WEAKER_ON_TEST]),
        ({"validation": {"f1_macro": 0.91}}, []),
        ({"is_few": True, "units": 12}, [Code.FEW_TEST_ROWS]),
        ({"classes": [class_proof("a"), class_proof("b", support=29)]}, [Code.FEW_ROWS_OF_CLASSES]),
        ({"classes": [class_proof("a"), class_proof("b", support=0)]}, [Code.UNTESTED_CLASSES]),
        ({"classes": [class_proof("a"), class_proof("b", recall=0.0)]}, [Code.NEVER_RECOGNISED]),
        ({"calibration": calibration(0.2)}, [Code.BADLY_CALIBRATED]),
        ({"calibration": calibration(0.06)}, []),
        ({"calibration": None}, []),
        ({"label_errors": label_errors(51)}, [Code.DOUBTED_LABELS]),
        ({"label_errors": label_errors(50)}, []),
    ],
)
def test_what_a_proof_shows_is_said(changes: dict[str, Any], expected: list[Code]) -> None:
    assert codes(make_proof(**changes)) == expected


def test_too_few_training_rows_for_the_labels_are_named() -> None:
    assert (codes(make_proof(), rows=29), codes(make_proof(), rows=30)) == ([Code.FEW_TRAINING_ROWS], [])


def test_cut_sentences_weigh_more_when_they_are_many() -> None:
    found = [alerts(case_of(entity_proof(entities=entity_errors(cut))), QUIET)[0] for cut in (2, 3)]
    assert [alert.severity for alert in found] == [Severity.INFO, Severity.WARNING]


def test_overfitting_is_told_from_the_losses_wherever_it_was() -> None:
    (alert,) = alerts(case_of(make_proof()), [*RISING, (0.2, 0.4)])
    assert shown_alert(alert, TEXT_CLASSIFICATION).sentence == (
        "Overfitting: the validation loss rose from 0.5000 to 0.7000 while the training loss fell."
    )


def test_the_weightiest_alert_comes_first() -> None:
    proof = make_proof(0.5, gain=gain(0.0), classes=[class_proof("a"), class_proof("b", support=20)])
    found = [alert.severity for alert in alerts(case_of(proof), RISING)]
    assert found == [Severity.ERROR, Severity.WARNING, Severity.WARNING, Severity.INFO]


def test_the_calibration_error_of_few_rows_is_chance() -> None:
    few = [{"confidence": 0.8, "accuracy": 0.8, "rows": 2}] * 15
    many = [{"confidence": 0.8, "accuracy": 0.8, "rows": 2000}] * 15
    assert chance_error(few) > 0.2  # type: ignore[arg-type]
    assert chance_error(many) < 0.01  # type: ignore[arg-type]
    assert chance_error([]) == 0.0


def test_each_alert_has_a_sentence_and_advice() -> None:
    assert set(SENTENCES) | set(COUNTED) == set(ADVICE) == set(Code)
    one = make_proof(classes=[class_proof("<b>"), class_proof("b", recall=0.0)], label_errors=label_errors(1200))
    shown = [shown_alert(alert, TEXT_CLASSIFICATION).sentence for alert in alerts(case_of(one), QUIET)]
    assert shown == ["Never recognised: “b”.", "1,200 labels are doubted, 120.0% of those that were looked at."]
