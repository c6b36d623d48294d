"""The loss of networks that choose one label of K, for a text or for each token, with class weights."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from bert_training.ml.task_network import IGNORE, Batch

LARGEST_CLASS_WEIGHT = 10.0  # a class of two rows among 10,000 would otherwise shake the network at every sight


def balanced_weights(counts: NDArray[np.int64]) -> torch.Tensor:
    """Weigh the k labels present by n / (k * n_label), at most LARGEST_CLASS_WEIGHT; absent ones by 1. Returns (K,)."""
    present = counts > 0
    weights = np.ones(len(counts), dtype=np.float32)
    weights[present] = np.minimum(counts.sum() / (present.sum() * counts[present]), LARGEST_CLASS_WEIGHT)
    return torch.from_numpy(weights)


def weight_sum(batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
    """Sum the weights of the labels of a batch that are judged; scalar."""
    return _label_weights(batch, class_weights).sum()


def cross_entropy_sum(
    logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None, *, label_smoothing: float
) -> torch.Tensor:
    """Sum the weighted cross-entropies. logits: (..., K); labels of the batch: (...), IGNORE is left out; scalar.

    label_smoothing: share of the certainty that goes to all labels alike.
    """
    flat = logits.reshape(-1, logits.shape[-1])
    losses = cross_entropy(
        flat, batch.labels.reshape(-1), ignore_index=IGNORE, reduction="none", label_smoothing=label_smoothing
    )
    return (losses * _label_weights(batch, class_weights).reshape(-1)).sum()


def _label_weights(batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
    """Return the weight of each label: that of its class times that of its piece; 0 where nothing is judged."""
    labels = batch.labels
    is_judged = labels != IGNORE
    weights = is_judged.float() if class_weights is None else class_weights[labels.clamp(min=0)] * is_judged
    return weights * batch.weights
