"""Coverage and error over the threshold, against counting by hand, and what must hold for any answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers
from bert_training.data.proof.coverage import THRESHOLDS, coverage_points
from bert_training.data.proof.shape import CoveragePoint

SURE = st.lists(st.tuples(st.integers(500, 1000), st.booleans(), st.integers(0, 9)), min_size=1, max_size=40)


def points_of(stated: list[float], right: list[bool], units: list[int] | None = None) -> dict[float, CoveragePoint]:
    """Points of a two-class answer: the first class with these probabilities, right where it is said."""
    surest = np.array(stated, dtype=np.float16)
    answers = LabelAnswers(
        np.where(right, 0, 1), np.zeros(len(stated), dtype=np.int64), np.stack([surest, 1 - surest], axis=1)
    )
    units = [*range(len(stated))] if units is None else units
    points = coverage_points(answers, np.array(units), judgement=LABELS)
    return {point["threshold"]: point for point in points}


def test_points_are_what_one_counts_by_hand() -> None:
    found = points_of([0.6, 0.7, 0.9, 0.97], [False, True, False, True])
    shares = {at: [point["answers"], point["taken"]["value"], point["wrong"]["value"]] for at, point in found.items()}
    assert shares[0.0] == pytest.approx([4, 1.0, 0.5])
    assert shares[0.65] == pytest.approx([3, 0.75, 1 / 3])
    assert shares[0.9] == pytest.approx([2, 0.5, 0.5])  # 0.9 is 0.8999 in float16, and reaches 0.9 all the same
    assert shares[0.97] == pytest.approx([1, 0.25, 0.0])
    assert max(shares) == 0.97  # nobody reaches more


def test_the_interval_is_that_of_wilson() -> None:
    wrong = points_of([0.8] * 100, [place >= 10 for place in range(100)])[0.8]["wrong"]
    # As statsmodels' proportion_confint(10, 100, method="wilson") has them.
    assert [wrong["value"], wrong["low"], wrong["high"]] == pytest.approx([0.1, 0.05523, 0.17437], abs=1e-5)


def test_near_copies_do_not_narrow_the_interval() -> None:
    right = [place % 10 > 0 for place in range(100)]
    alone = points_of([0.8] * 100, right)[0.5]["wrong"]
    copied = points_of([0.8] * 500, [each for each in right for _copy in range(5)], np.repeat(range(100), 5).tolist())
    again = copied[0.5]["wrong"]
    ends = ("value", "low", "high")
    assert [again[end] for end in ends] == pytest.approx([alone[end] for end in ends], abs=0.005)  # type: ignore[literal-required]


@settings(max_examples=30)
@given(SURE)
def test_fewer_are_taken_with_each_threshold_and_intervals_hold_their_figures(
    rows: list[tuple[int, bool, int]],
) -> None:
    found = points_of([sure / 1000 for sure, _right, _unit in rows], [row[1] for row in rows], [row[2] for row in rows])
    taken = [point["answers"] for point in found.values()]
    assert taken == sorted(taken, reverse=True)
    assert list(found) == list(THRESHOLDS[: len(found)])
    assert found[0.0]["answers"] == len(rows)
    for point in found.values():
        for figure in (point["taken"], point["wrong"]):
            assert figure["low"] is not None
            assert figure["high"] is not None
            assert figure["value"] is not None
            assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1


def test_of_entities_each_answer_counts_and_without_probabilities_there_is_nothing() -> None:
    zero = np.zeros(2, dtype=np.int64)
    predicted = [[("LOCAL", 0, 1, 0.9), ("LOCAL", 2, 3, 0.6)], [("LOCAL", 0, 1, 0.99)]]
    answers = EntityAnswers([[("LOCAL", 0, 1)], []], predicted, zero + 3, zero, zero, zero)
    found = {point["threshold"]: point for point in coverage_points(answers, np.array([2, 3]), judgement=ENTITIES)}
    assert found[0.0]["answers"] == 3
    assert found[0.0]["wrong"]["value"] == pytest.approx(2 / 3)
    assert (found[0.95]["answers"], found[0.95]["wrong"]["value"]) == (1, 1.0)
    silent = LabelAnswers(zero, zero, np.zeros((2, 0), dtype=np.float16))
    assert coverage_points(silent, np.array([2, 3]), judgement=LABELS) == []
