"""Expected calibration error over bins of equal mass, and the way back to probabilities before calibration."""

import numpy as np
import pytest

from bert_training.data.figures.calibration import expected_calibration_error, reliability_bins, undo


def draw(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences that are all different, and answers that are right as often as stated, less a tenth."""
    chance = np.random.default_rng(seed)
    confidence = chance.permutation(np.linspace(0.2, 1.0, rows))
    return confidence, chance.random(rows) < confidence - 0.1


def softmax(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("seed", range(3))
def test_the_error_is_the_mean_gap_of_bins_with_the_same_number_of_rows(seed: int) -> None:
    confidence, right = draw(seed, 15 * 40)
    order = np.argsort(confidence)
    gaps = [abs(confidence[part].mean() - right[part].mean()) for part in np.split(order, 15)]
    assert expected_calibration_error(confidence, right) == pytest.approx(np.mean(gaps))
    bins = reliability_bins(confidence, right)
    assert [each["rows"] for each in bins] == [40] * 15
    assert [abs(each["confidence"] - each["accuracy"]) for each in bins] == pytest.approx(gaps)


def test_who_states_shares_as_they_are_has_no_error() -> None:
    confidence, right = np.full(40, 0.75), np.arange(40) % 4 > 0
    assert expected_calibration_error(confidence, right) == pytest.approx(0.0)
    assert expected_calibration_error(np.ones(40), right) == pytest.approx(0.25)


@pytest.mark.parametrize("rows", [1, 7, 16, 100])
def test_bins_hold_every_row_once_and_at_most_as_many_as_there_are(rows: int) -> None:
    confidence, right = draw(1, rows)
    bins = reliability_bins(confidence, right)
    assert (len(bins), sum(each["rows"] for each in bins)) == (min(rows, 15), rows)
    assert all(each["rows"] for each in bins)
    assert [each["confidence"] for each in bins] == sorted(each["confidence"] for each in bins)


def test_without_answers_there_is_nothing_to_say() -> None:
    assert expected_calibration_error(np.zeros(0), np.zeros(0, dtype=bool)) is None
    assert reliability_bins(np.zeros(0), np.zeros(0, dtype=bool)) == []


def test_rows_of_one_probability_count_alike_in_any_order() -> None:
    confidence, right = np.repeat([0.5, 0.9], 50), np.arange(100) % 3 > 0
    errors = {
        expected_calibration_error(confidence, np.concatenate([right[:50][::way], right[50:]])) for way in (1, -1)
    }
    sorted_errors = expected_calibration_error(confidence, np.concatenate([np.sort(right[:50]), np.sort(right[50:])]))
    assert errors == {sorted_errors}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_undone_probabilities_are_those_before_calibration(temperature: float) -> None:
    chance = np.random.default_rng(3)
    logits, biases = chance.normal(size=(50, 4)) * 2, np.array([0.3, -0.2, 0.0, 0.5])
    calibrated = softmax(logits / temperature + biases).astype(np.float16)
    assert undo(calibrated, temperature, biases) == pytest.approx(softmax(logits), abs=2e-3)
    assert undo(calibrated[0], temperature, biases) == pytest.approx(softmax(logits[0]), abs=2e-3)
    assert undo(softmax(logits / temperature).astype(np.float16), temperature) == pytest.approx(
        softmax(logits), abs=2e-3
    )


def test_a_probability_of_nothing_stays_nothing() -> None:
    stated = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]], dtype=np.float16)
    assert undo(stated, 3.0, np.array([0.1, 0.2, 0.3])).tolist()[0] == [1.0, 0.0, 0.0]
    assert undo(stated, 3.0).tolist() == stated.tolist()
