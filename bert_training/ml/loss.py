"""The loss of networks that choose one label of K, for a text or for each token, with class weights."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from bert_training.ml.task_network import IGNORE, Example

LARGEST_CLASS_WEIGHT = 10.0  # a class of two rows among 10,000 would otherwise shake the network at every sight


def count_labels(examples: Iterable[Example], label_count: int) -> NDArray[np.int64]:
    """Count each label id over all judged positions. Returns (K,)."""
    counts = np.zeros(label_count, dtype=np.int64)
    for example in examples:
        counts += np.bincount(example.labels[example.labels != IGNORE], minlength=label_count)
    return counts


def balanced_weights(counts: NDArray[np.int64]) -> torch.Tensor:
    """Weigh the k labels present by n / (k * n_label), at most LARGEST_CLASS_WEIGHT; absent ones by 1. Returns (K,)."""
    present = counts > 0
    weights = np.ones(len(counts), dtype=np.float32)
    weights[present] = np.minimum(counts.sum() / (present.sum() * counts[present]), LARGEST_CLASS_WEIGHT)
    return torch.from_numpy(weights)


def weight_sum(labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
    """Sum the weights of the labels that are judged. labels: any shape; scalar."""
    judged = labels[labels != IGNORE]
    return (
        class_weights[judged].sum()
        if class_weights is not None
        else judged.numel() * torch.ones((), device=labels.device)
    )


def cross_entropy_sum(logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
    """Sum the weighted cross-entropies. logits: (..., K); labels: (...), IGNORE is left out; scalar."""
    flat = logits.reshape(-1, logits.shape[-1])
    return cross_entropy(flat, labels.reshape(-1), weight=class_weights, ignore_index=IGNORE, reduction="sum")
