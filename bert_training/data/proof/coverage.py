"""What would come out if only sure answers were taken: how many are taken, and how many of these are wrong.

A description of these test rows: who chooses a threshold by them has chosen it where it suits them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.judgement import Judgement
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers
from bert_training.data.proof.intervals import bounded
from bert_training.data.proof.shape import CoveragePoint, Figure
from bert_training.data.proof.shares import share_bounds
from bert_training.data.proof.units import number_units

# Round numbers, which people can set and remember; finer where a trained network is usually sure.
THRESHOLDS = (*(n / 20 for n in range(18)), *(n / 100 for n in range(90, 100)), 0.995, 0.999)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def coverage_points(
    answers: LabelAnswers | EntityAnswers, units: NDArray[np.int64], *, judgement: Judgement[Any]
) -> list[CoveragePoint]:
    """Return the points up to the first threshold that no answer reaches; none when no probability is stated.

    units: (N,), of each row. Of entities each predicted one is an answer, and a sentence is their unit.
    """
    confidence, right = judgement.confidences(answers)
    if isinstance(answers, EntityAnswers):
        units = np.repeat(units, [len(found) for found in answers.predicted])
    is_stated = np.isfinite(confidence)
    if not is_stated.any():
        return []
    confidence, right, units = confidence[is_stated], right[is_stated], number_units(units[is_stated])
    points = []
    for threshold in THRESHOLDS:
        # A probability of 0.9 is 0.8999 in float16: it reaches 0.9 all the same.
        is_taken = confidence >= np.float16(threshold)
        if not is_taken.any():
            break
        points.append(_point(threshold, is_taken, ~right, units))
    return points


def _point(threshold: float, is_taken: Bools, is_wrong: Bools, units: NDArray[np.int64]) -> CoveragePoint:
    every, taken = _by_unit(np.ones(len(units)), units), _by_unit(is_taken, units)
    return {
        "threshold": threshold,
        "answers": int(is_taken.sum()),
        "taken": _share(taken, every),
        "wrong": _share(_by_unit(is_taken & is_wrong, units), taken),
    }


def _by_unit(values: NDArray[Any], units: NDArray[np.int64]) -> Floats:
    return np.bincount(units, values).astype(np.float64)


def _share(part: Floats, whole: Floats) -> Figure:
    """Bound the share of all units together. part, whole: (U,)."""
    occurs = whole > 0
    part, whole = part[occurs], whole[occurs]
    bounds = share_bounds(part, whole, np.zeros(len(part), dtype=np.int64), 1)
    return bounded(float(bounds.value[0]), bounds.interval(0))
