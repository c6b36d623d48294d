"""The verdict, as a table: what a proof says, what may be done with the model, and why."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.translation import override

from bert_training.data.proof.shape import Gain, Proof
from bert_training.services.proving.grades import Grade, grade_of, graded
from bert_training.services.proving.verdict_words import gain_text, reason_text, verdict_sentence
from bert_training.services.proving.verdicts import Case, Verdict, Why, verdict
from bert_training.tasks.text_classification.spec import TEXT_CLASSIFICATION
from tests.proofs import SCALES, baseline, class_proof, gain, make_proof

PLAIN = {"value": 0.9, "low": None, "high": None}
NEAR = {"protection": "near", "rows": {"train": 1000}}


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with override("en"):
        yield


def case_of(proof: Proof, *, split: dict[str, Any] | None = None) -> Case:
    return Case(proof, graded(proof, SCALES, task_metric="f1_macro"), NEAR if split is None else split)


def lopsided(value: float) -> Proof:
    """A network on data of which 95 % have one label, judged by accuracy."""
    simple = [baseline("frequent", 0.95), baseline("linear", 0.95)]
    return make_proof(value, metric="accuracy", baselines=simple, gain=gain(value - 0.95, half=0.02))


@pytest.mark.parametrize(
    ("proof", "expected", "why"),
    [
        (make_proof(0.9), Verdict.USE, []),
        (make_proof(0.73), Verdict.USE, []),
        (make_proof(0.71), Verdict.REVIEW, [Why.FAIR_GRADE]),
        (make_proof(0.61), Verdict.DO_NOT_USE, [Why.LOW_GRADE]),
        (make_proof(0.5), Verdict.DO_NOT_USE, [Why.LOW_GRADE]),
        (make_proof(None), Verdict.DO_NOT_USE, [Why.NOTHING_TESTED]),
        (make_proof(0.9, gain=gain(-0.03)), Verdict.DO_NOT_USE, [Why.BELOW_BASELINE]),
        (make_proof(0.9, gain=gain(0.005)), Verdict.REVIEW, [Why.GAIN_NOT_SHOWN]),
        (make_proof(0.9, gain=gain(0.0, half=0.0)), Verdict.REVIEW, [Why.GAIN_NOT_SHOWN]),
        (make_proof(0.66, gain=gain(0.005)), Verdict.DO_NOT_USE, [Why.GAIN_NOT_SHOWN]),
        (make_proof(0.9, gain=None), Verdict.REVIEW, [Why.NO_BASELINE]),
        (make_proof(0.9, is_few=True, units=29), Verdict.REVIEW, [Why.FEW_UNITS]),
        (make_proof(0.9, metric="loss"), Verdict.USE, []),
        (make_proof(figures={"f1_macro": PLAIN}), Verdict.REVIEW, [Why.NO_INTERVAL]),
        (lopsided(0.955), Verdict.DO_NOT_USE, [Why.GAIN_NOT_SHOWN, Why.NOTHING_LEARNED]),
        (lopsided(0.98), Verdict.USE, []),
    ],
)  # fmt: skip
def test_the_strictest_rule_decides_and_says_why(proof: Proof, expected: Verdict, why: list[Why]) -> None:
    found = verdict(case_of(proof))
    assert (found.verdict, list(found.reasons)) == (expected, why)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (class_proof("saude", recall=0.0), Why.NEVER_RECOGNISED),
        (class_proof("saude", support=0), Why.UNTESTED),
    ],
)
def test_a_class_that_is_not_recognised_or_not_tested_asks_for_review(changed: Any, why: Why) -> None:
    proof = make_proof(0.9, classes=[class_proof("pessoal"), changed])
    assert verdict(case_of(proof)).reasons == (why,)
    assert "“saude”" in verdict_sentence(case_of(proof), verdict(case_of(proof)), TEXT_CLASSIFICATION)


def test_a_split_that_knows_no_near_copies_asks_for_review() -> None:
    case = case_of(make_proof(0.9), split={"protection": "exact"})
    assert verdict(case).reasons == (Why.UNPROTECTED,)


def test_no_better_figure_ever_makes_a_verdict_stricter() -> None:
    allowed = [list(Verdict).index(verdict(case_of(make_proof(value / 100))).verdict) for value in range(0, 101)]
    assert allowed == sorted(allowed)
    assert set(allowed) == {0, 1, 2}


def test_the_grade_is_that_of_the_value_and_a_step_belongs_to_the_better_word() -> None:
    scale = SCALES["f1_macro"]
    assert [grade_of(value, scale) for value in (0.8, 0.7999, 0.7, 0.6, 0.59)] == [
        Grade.EXCELLENT, Grade.GOOD, Grade.GOOD, Grade.FAIR, Grade.LOW,
    ]  # fmt: skip
    assert (grade_of(None, scale), grade_of(0.9, None)) == (None, None)
    found = graded(make_proof(0.81), SCALES, task_metric="f1_macro")
    assert (found.grade, found.worst) == (Grade.EXCELLENT, Grade.GOOD)


@pytest.mark.parametrize(
    ("proof", "sentence"),
    [
        (
            make_proof(0.9),
            "Can be used: F1 (macro) is 90.0% and hardly below 88.0% (excellent); 5.0 points better than the linear "
            "method.",
        ),
        (make_proof(0.9, gain=gain(0.005)), "Use with review: gain over the linear method not shown."),
        (
            make_proof(0.34, gain=gain(-0.02, half=0.05)),
            "Do not use: gain over the linear method not shown; F1 (macro) may be as low as 32.0% (low).",
        ),
    ],
)
def test_the_sentence_names_its_reasons(proof: Proof, sentence: str) -> None:
    case = case_of(proof)
    assert verdict_sentence(case, verdict(case), TEXT_CLASSIFICATION) == sentence


@pytest.mark.parametrize("why", Why)
def test_each_reason_has_words(why: Why) -> None:
    assert "%(" not in reason_text(why, case_of(make_proof(0.9)), TEXT_CLASSIFICATION)


def said_of(found: Gain | None, **changes: Any) -> str:
    return gain_text(case_of(make_proof(0.9, gain=found, **changes)), TEXT_CLASSIFICATION)


def test_gain_is_said_with_its_interval() -> None:
    assert said_of(gain(0.041, half=0.012)) == "Gain of 4.1 points over the linear method; between 2.9 and 5.3."
    assert said_of(gain(-0.041, half=0.012)) == (
        "Gain not shown: 4.1 points worse than the linear method; between 2.9 and 5.3."
    )
    assert said_of(gain(0.0, over="frequent")) == (
        "Gain over the most frequent answer not shown: 0.0 points; between \u22121.0 and +1.0."
    )
    assert "no simple method" in said_of(None)


@pytest.mark.parametrize("proof", [make_proof(0.9), make_proof(0.71), make_proof(0.5)])
def test_corrected_test_labels_change_no_verdict_and_are_said_beside_each(proof: Proof) -> None:
    split = {**NEAR, "corrected": {"train": 40, "validation": 3, "test": 12}}
    case = case_of(proof, split=split)
    found = verdict(case)
    assert found.verdict == verdict(case_of(proof)).verdict
    assert found.caveats == (Why.TEST_CORRECTED,)
    said = "; 12 test labels were corrected: compare with the uncorrected figure with care."
    assert verdict_sentence(case, found, TEXT_CLASSIFICATION).endswith(said)


def test_corrected_training_labels_need_no_caveat() -> None:
    split = {**NEAR, "corrected": {"train": 40, "validation": 3, "test": 0}}
    assert verdict(case_of(make_proof(), split=split)).caveats == ()


def test_a_gain_in_another_figure_than_the_graded_one_names_it() -> None:
    assert said_of(gain(0.041, half=0.012), metric="auc_roc") == (
        "Gain of 4.1 points over the linear method in AUC-ROC; between 2.9 and 5.3."
    )
    case = case_of(make_proof(0.9, metric="auc_roc"))
    assert "better than the linear method in AUC-ROC" in verdict_sentence(case, verdict(case), TEXT_CLASSIFICATION)
