"""The seam between rows and network: how rows are batched, run through the network and taken apart again.

Today a batch is padded to its longest row. Rows without padding need another `collate`, `forward` and `logits_by_row`;
nothing outside this file sees padding.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from tokenizers import Encoding

from bert_training.ml.task_network import IGNORE, Batch, Example

Row = TypeVar("Row")


def epoch_order(row_count: int, *, seed: int, epoch: int) -> list[int]:
    """Shuffle rows: another order each epoch, the same on every machine for a seed."""
    order: list[int] = np.random.default_rng([seed, epoch]).permutation(row_count).tolist()
    return order


def uncut_length(encoding: Encoding) -> int:
    """Return how many tokens a row would have without the cut; special tokens, which each piece has, count once."""
    return len(encoding.ids) + sum(len(piece.ids) - sum(piece.special_tokens_mask) for piece in encoding.overflowing)


def cut_into(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """Cut rows into pieces of `size`; the last may be smaller."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def collate(examples: Sequence[Example], *, pad_token_id: int, label_per_token: bool) -> Batch:
    """Pad rows on the right to the longest. inputs: (B, T); labels: (B, T), or (B,) for one label a row."""
    lengths = [len(example.input_ids) for example in examples]
    shape = (len(examples), max(lengths))
    input_ids = np.full(shape, pad_token_id, dtype=np.int64)
    attention_mask = np.zeros(shape, dtype=np.int64)
    labels = np.full(shape if label_per_token else shape[:1], IGNORE, dtype=np.int64)
    for row, (example, length) in enumerate(zip(examples, lengths, strict=True)):
        input_ids[row, :length] = example.input_ids
        attention_mask[row, :length] = 1
        if label_per_token:
            labels[row, :length] = example.labels
        else:
            labels[row] = example.labels[0]
    inputs = {"input_ids": torch.from_numpy(input_ids), "attention_mask": torch.from_numpy(attention_mask)}
    return Batch(inputs=inputs, labels=torch.from_numpy(labels), lengths=lengths)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Copy a batch to where the network is."""
    inputs = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.inputs.items()}
    return Batch(inputs=inputs, labels=batch.labels.to(device, non_blocking=True), lengths=batch.lengths)


def forward(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Run the network. Returns logits in fp32: (B, K) for a label a text, (B, T, K) for a label a token."""
    logits: torch.Tensor = model(**batch.inputs).logits
    return logits.float()


def logits_by_row(logits: torch.Tensor, batch: Batch) -> list[torch.Tensor]:
    """Take a batch apart, on the CPU: (K,) for each text, or (tokens, K) without the padding."""
    logits = logits.detach().cpu()
    if logits.dim() == 2:
        return list(logits)
    return [row[:length] for row, length in zip(logits, batch.lengths, strict=True)]
