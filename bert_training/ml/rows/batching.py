"""Which rows share a step and a batch, and how a batch gets to where the network is."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from bert_training.ml.task_network import Batch, Piece

Row = TypeVar("Row")


def epoch_order(row_count: int, *, seed: int, epoch: int) -> list[int]:
    """Shuffle rows: another order each epoch, the same on every machine for a seed."""
    order: list[int] = np.random.default_rng([seed, epoch]).permutation(row_count).tolist()
    return order


def cut_into(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """Cut rows into pieces of `size`; the last may be smaller."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def fill_ends(lengths: NDArray[np.int64], budget: int) -> list[int]:
    """Return where batches end that are filled in order up to a budget; what is longer is a batch of its own.

    About a microsecond a batch.
    """
    sums: list[int] = lengths.cumsum().tolist()
    ends = [0]
    while ends[-1] < len(sums):
        begin = ends[-1]
        filled = bisect_right(sums, (sums[begin - 1] if begin else 0) + budget, lo=begin)
        ends.append(max(begin + 1, filled))
    return ends[1:]


def cut_at(rows: Sequence[Row], ends: Sequence[int]) -> list[Sequence[Row]]:
    """Cut rows where batches end."""
    return [rows[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]


def cut_by_tokens(pieces: Sequence[Piece], budget: int) -> list[Sequence[Piece]]:
    """Cut pieces, in their order, into as many at once as have so many tokens in all."""
    return cut_at(pieces, fill_ends(np.array([len(piece.input_ids) for piece in pieces], dtype=np.int64), budget))


def cut_by_length(pieces: Sequence[Piece]) -> list[Sequence[Piece]]:
    """Cut pieces that come longest first where they are less than half as long as the first of their part."""
    starts = [0]
    for index, piece in enumerate(pieces):
        if 2 * len(piece.input_ids) < len(pieces[starts[-1]].input_ids):
            starts.append(index)
    return cut_at(pieces, [*starts[1:], len(pieces)])


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Copy a batch to where the network is."""
    return _with_each_tensor(batch, lambda tensor: tensor.to(device, non_blocking=True))


def pinned(batch: Batch) -> Batch:
    """Copy a batch into memory that a GPU reads directly."""
    return _with_each_tensor(batch, lambda tensor: tensor.pin_memory())


def _with_each_tensor(batch: Batch, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
    inputs = {name: change(tensor) for name, tensor in batch.inputs.items()}
    return replace(batch, inputs=inputs, labels=change(batch.labels), weights=change(batch.weights))
