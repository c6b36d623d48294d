"""Class weights and the loss, computed by hand."""

import math

import numpy as np
import pytest
import torch

from bert_training.ml.loss import balanced_weights, count_labels, cross_entropy_sum, weight_sum
from bert_training.ml.task_network import IGNORE, Example


def example(*labels: int) -> Example:
    return Example(np.zeros(len(labels), dtype=np.int32), np.array(labels, dtype=np.int64))


def test_labels_are_counted_over_judged_positions_only() -> None:
    assert count_labels([example(IGNORE, 2, 2), example(0, IGNORE)], 4).tolist() == [1, 0, 2, 0]


def test_balanced_weights_are_n_over_k_times_the_count() -> None:
    # 12 rows, 2 labels present: 12 / (2 * 9) and 12 / (2 * 3); the absent one counts 1
    assert balanced_weights(np.array([9, 0, 3])).tolist() == pytest.approx([12 / 18, 1.0, 2.0])


def test_a_very_rare_class_weighs_at_most_ten() -> None:
    assert balanced_weights(np.array([9_998, 2])).tolist() == pytest.approx([10_000 / 19_996, 10.0])


def test_the_weighted_loss_is_the_sum_of_weighted_logarithms() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.5], [0.2, 0.8]]))
    labels, weights = torch.tensor([0, 1]), torch.tensor([3.0, 0.5])

    assert cross_entropy_sum(logits, labels, weights).item() == pytest.approx(-3 * math.log(0.5) - 0.5 * math.log(0.8))
    assert weight_sum(labels, weights).item() == 3.5


def test_without_class_weights_each_judged_label_counts_one() -> None:
    logits = torch.zeros(1, 3, 4)  # four tags, equally likely
    labels = torch.tensor([[IGNORE, 1, 3]])

    assert cross_entropy_sum(logits, labels, None).item() == pytest.approx(2 * math.log(4))
    assert weight_sum(labels, None).item() == 2
