"""Which rows share a step and a batch, and how a batch gets to where the network is."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch

from bert_training.ml.task_network import Batch

Row = TypeVar("Row")


def epoch_order(row_count: int, *, seed: int, epoch: int) -> list[int]:
    """Shuffle rows: another order each epoch, the same on every machine for a seed."""
    order: list[int] = np.random.default_rng([seed, epoch]).permutation(row_count).tolist()
    return order


def cut_into(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """Cut rows into pieces of `size`; the last may be smaller."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Copy a batch to where the network is."""
    inputs = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.inputs.items()}
    labels, weights = (tensor.to(device, non_blocking=True) for tensor in (batch.labels, batch.weights))
    return Batch(inputs=inputs, labels=labels, weights=weights, lengths=batch.lengths)
