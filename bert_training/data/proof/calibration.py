"""Whether the network's probabilities mean what they say, on test, before and after calibration."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.calibration import expected_calibration_error, reliability_bins, undo
from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.scores import is_stated
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers
from bert_training.data.proof.shape import CalibrationProof

CELLS_AT_ONCE = 2**20  # of probabilities in float64: 8 MB


def calibration_proof(
    answers: LabelAnswers | EntityAnswers, *, judgement: Judgement[Any], calibration: Mapping[str, Any] | None
) -> CalibrationProof | None:
    """Compare stated probabilities with shares of right answers; None when none were stated and none calibrated.

    calibration: what was folded into the network, fields of the contract's Calibration; None = nothing.
    """
    confidence, right = judgement.confidences(answers)
    is_stated = np.isfinite(confidence)
    if calibration is None and not is_stated.any():
        return None
    temperature = float(calibration["temperature"]) if calibration else 1.0
    biases = np.array(calibration["biases"] if calibration else [], dtype=np.float64)
    return {
        "temperature": temperature,
        "has_biases": bool(len(biases)),
        "before": _error_before(answers, temperature, biases) if calibration else None,
        "after": expected_calibration_error(confidence[is_stated], right[is_stated]),
        "bins": reliability_bins(confidence[is_stated], right[is_stated]),
    }


def _error_before(
    answers: LabelAnswers | EntityAnswers, temperature: float, biases: NDArray[np.float64]
) -> float | None:
    """Return the error of what the network would have said without calibration; biases may have changed its answer.

    None for entities, as the probability of an entity does not tell those of its words, and when one is no number.
    """
    if not isinstance(answers, LabelAnswers) or not is_stated(answers.probabilities):
        return None
    confidence, right = np.zeros(len(answers)), np.zeros(len(answers), dtype=np.bool_)
    step = max(1, CELLS_AT_ONCE // answers.probabilities.shape[1])
    for start in range(0, len(answers), step):
        block = slice(start, start + step)
        before = undo(answers.probabilities[block], temperature, biases)
        confidence[block] = before.max(axis=1)
        right[block] = before.argmax(axis=1) == answers.gold[block]
    return expected_calibration_error(confidence, right)
