"""Temperature and biases: what is found, what is left alone, and that a network takes them in."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bert_training.contract.messages import Calibration as SentCalibration
from bert_training.ml.network.probabilities import softmax
from bert_training.ml.proof import calibration
from bert_training.ml.proof.calibration import LEAST_ROWS, Calibration, fit_calibration
from bert_training.ml.proof.folding import find_last_layer, fold
from bert_training.ml.task_network import Logits
from tests.ml.architectures import CONFIGS, tiny_network

BIASES = np.array([0.8, -0.6, -0.2])


def overconfident(rows: int = 3000, seed: int = 0) -> tuple[list[Logits], NDArray[np.int64]]:
    """Logits of three classes, twice as large as true ones would be and shifted, and labels drawn from the true."""
    chance = np.random.default_rng(seed)
    true = chance.normal(size=(rows, 3)) * 2
    gold = (softmax(true).cumsum(axis=1) > chance.random((rows, 1))).argmax(axis=1)
    return list(((true - BIASES) * 2).astype(np.float32)), gold


def test_the_temperature_of_overconfident_logits_is_found() -> None:
    logits, gold = overconfident()
    found = fit_calibration([row + 2 * BIASES.astype(np.float32) for row in logits], gold, with_biases=False)
    assert found is not None
    assert found.temperature == pytest.approx(2, abs=0.1)
    assert (found.biases, found.rows) == ((), 3000)
    assert found.loss_after < found.loss_before


def test_with_class_weights_the_biases_are_found_too() -> None:
    found = fit_calibration(*overconfident(), with_biases=True)
    assert found is not None
    assert found.temperature == pytest.approx(2, abs=0.1)
    assert found.biases == pytest.approx(BIASES, abs=0.1)
    assert Calibration.of(SentCalibration(**found.facts()).model_dump()) == found


def test_words_are_fitted_as_rows_are_and_unseen_ones_left_out() -> None:
    logits, gold = overconfident(300)
    of_rows = fit_calibration(logits, gold, with_biases=True)
    unseen = np.full(3, np.nan, dtype=np.float32)
    sentences = [np.stack([*logits[start : start + 3], unseen]) for start in range(0, 300, 3)]
    of_words = fit_calibration(sentences, np.insert(gold, range(3, 303, 3), 0), with_biases=True)
    assert of_words == of_rows


def test_the_class_that_validation_lacks_and_rows_all_right_stay_within_reason() -> None:
    sure = list(np.eye(3, dtype=np.float32)[np.arange(60) % 2] * 5)
    found = fit_calibration(sure, np.arange(60) % 2, with_biases=True)
    assert found is not None
    assert 0.3 < found.temperature < 1
    assert -1 < found.biases[2] < 0


def test_few_rows_or_nothing_to_gain_leave_the_network_as_it_is() -> None:
    logits, gold = overconfident(LEAST_ROWS)
    assert fit_calibration(logits[1:], gold[1:], with_biases=False) is None
    assert fit_calibration([np.zeros(3, np.float32)] * 30, np.arange(30) % 3, with_biases=False) is None
    assert fit_calibration([np.full(3, np.nan, np.float32)] * 30, gold, with_biases=False) is None
    assert fit_calibration(logits, gold, with_biases=False) is not None


def test_of_very_many_rows_evenly_spaced_ones_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "MOST_VALUES", 300)
    found = fit_calibration(*overconfident(), with_biases=False)
    assert found is not None
    assert found.rows == 100


@pytest.mark.parametrize("label_per_token", [False, True])
@pytest.mark.parametrize("architecture", CONFIGS)
def test_a_folded_network_answers_with_the_calibrated_logits(architecture: str, label_per_token: bool) -> None:
    model = tiny_network(architecture, label_per_token=label_per_token).train(False)
    ids, calibrated = torch.tensor([[2, 7, 9, 11, 3]]), Calibration(1.7, (0.1, -0.3, 0.2), 99, 1.0, 0.9)
    with torch.inference_mode():
        before = model(input_ids=ids).logits.numpy()
    layer = find_last_layer(model)
    assert layer is not None
    fold(layer, calibrated)
    with torch.inference_mode():
        after = model(input_ids=ids).logits.numpy()
    assert after == pytest.approx(calibrated.apply(before), abs=1e-6)
    assert not np.allclose(after, before, atol=1e-3)


def test_a_network_without_such_a_layer_is_told_apart() -> None:
    model = tiny_network("bert")
    model.classifier = torch.nn.Identity()
    assert find_last_layer(model) is None
