"""Class weights and the loss, computed by hand."""

import math

import numpy as np
import pytest
import torch

from bert_training.ml.network.loss import balanced_weights, cross_entropy_sum, weight_sum
from bert_training.ml.task_network import IGNORE, Batch


def batch_of(labels: list[list[int]] | list[int], weights: float | list[float] = 1.0) -> Batch:
    """A batch of which only labels and weights matter."""
    ids = torch.tensor(labels)
    return Batch(inputs={}, labels=ids, weights=torch.ones(ids.shape) * torch.tensor(weights), lengths=[])


def test_balanced_weights_are_n_over_k_times_the_count() -> None:
    # 12 rows, 2 labels present: 12 / (2 * 9) and 12 / (2 * 3); the absent one counts 1
    assert balanced_weights(np.array([9, 0, 3])).tolist() == pytest.approx([12 / 18, 1.0, 2.0])


def test_a_very_rare_class_weighs_at_most_ten() -> None:
    assert balanced_weights(np.array([9_998, 2])).tolist() == pytest.approx([10_000 / 19_996, 10.0])


def test_the_weighted_loss_is_the_sum_of_weighted_logarithms() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.5], [0.2, 0.8]]))
    batch, weights = batch_of([0, 1]), torch.tensor([3.0, 0.5])
    loss = cross_entropy_sum(logits, batch, weights, label_smoothing=0.0)

    assert loss.item() == pytest.approx(-3 * math.log(0.5) - 0.5 * math.log(0.8))
    assert weight_sum(batch, weights).item() == 3.5


def test_without_class_weights_each_judged_label_counts_one() -> None:
    logits = torch.zeros(1, 3, 4)  # four tags, equally likely
    batch = batch_of([[IGNORE, 1, 3]])

    assert cross_entropy_sum(logits, batch, None, label_smoothing=0.0).item() == pytest.approx(2 * math.log(4))
    assert weight_sum(batch, None).item() == 2


def test_a_piece_of_a_row_counts_with_its_share() -> None:
    logits = torch.zeros(2, 4)
    loss = cross_entropy_sum(logits, batch_of([1, 3], [0.25, 0.75]), None, label_smoothing=0.0)
    assert loss.item() == pytest.approx(math.log(4))


def test_smoothing_gives_a_share_of_the_certainty_to_all_labels() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.5]]))
    other = torch.log(torch.tensor([[0.2, 0.8]]))
    smoothed = cross_entropy_sum(other, batch_of([1]), None, label_smoothing=0.1)
    assert smoothed.item() == pytest.approx(-0.95 * math.log(0.8) - 0.05 * math.log(0.2))
    assert cross_entropy_sum(logits, batch_of([1]), None, label_smoothing=0.5).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.5])
def test_without_class_weights_the_mean_is_that_of_torch(label_smoothing: float) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 5, 4), torch.randint(0, 4, (6, 5))
    labels[2:, 3:] = IGNORE
    batch = batch_of(labels.tolist())
    loss = cross_entropy_sum(logits, batch, None, label_smoothing=label_smoothing) / weight_sum(batch, None)
    expected = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, label_smoothing=label_smoothing
    )
    torch.testing.assert_close(loss, expected)
