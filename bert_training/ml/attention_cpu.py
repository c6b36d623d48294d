"""Exact attention for short sequences on a CPU: sequences of near-equal length share two batched matrix products."""

import torch

from bert_training.ml.sequences import Sequences


def attend_in_groups(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    sequences: Sequences,
    *,
    scale: float,
    dropout: float,
) -> torch.Tensor:
    """Attend within each sequence. query, key, value: (T, H, D). Returns (T, H, D)."""
    parts = [tensor.split(sequences.lengths) for tensor in (query, key, value)]
    return torch.cat([_attend(*part, scale=scale, dropout=dropout) for part in zip(*parts, strict=True)])


def _attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, scale: float, dropout: float
) -> torch.Tensor:
    """Attend within one sequence of L tokens. (L, H, D) each."""
    scores = torch.matmul(query.transpose(0, 1), key.permute(1, 2, 0)) * scale  # (H, L, L)
    weights = torch.dropout(scores.softmax(dim=-1), dropout, dropout > 0).to(value.dtype)
    return torch.matmul(weights, value.transpose(0, 1)).transpose(0, 1)
