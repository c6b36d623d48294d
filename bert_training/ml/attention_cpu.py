"""Exact attention for short sequences on a CPU: sequences of near-equal length share two batched matrix products.

The library's fused attention was 5 to 7 times slower there in bf16, and cannot drop weights out.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from bert_training.ml.random_masks import apply_mask, draw_mask, kept_share
from bert_training.ml.sequences import Group, Sequences

NO_MASK = torch.empty(0, dtype=torch.int8)


def attend_in_groups(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, sequences: Sequences, *, scale: float, dropout: float
) -> torch.Tensor:
    """Attend within each sequence. query, key, value: (T, H, D), of one type. Returns (T, H, D)."""
    with torch.autocast("cpu", enabled=False):  # it would compute softmax and its output in fp32
        attended: torch.Tensor = GroupedAttention.apply(query * scale, key, value, sequences, dropout)  # type: ignore[no-untyped-call]
    return attended


class GroupedAttention(torch.autograd.Function):
    """Attention within each sequence, group by group. query, key, value: (T, H, D). Returns (T, H, D)."""

    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, sequences: Sequences, dropout: float
    ) -> torch.Tensor:
        """Compute it and keep what backward needs: weights and masks, (n x H, L, L) a group."""
        heads = query.shape[1]
        places = sequences.plans.setdefault(heads, None) or Places(sequences, heads=heads)
        sequences.plans[heads] = places
        saved, outputs = [query, key, value], []
        for group in places.groups:
            queries, keys, values = (group.gather(tensor) for tensor in (query, key, value))
            weights = group.softmax(torch.bmm(queries, keys.transpose(1, 2)))
            mask = draw_mask(weights.shape, dropout) if dropout else NO_MASK
            outputs.append(torch.bmm(apply_mask(weights, mask) if dropout else weights, values))
            saved += [weights, mask]
        ctx.save_for_backward(*saved)
        ctx.places, ctx.dropout = places, dropout
        output = places.scatter(outputs)
        return output.div_(kept_share(dropout)) if dropout else output

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of query, key and value."""
        query, key, value, *saved = ctx.saved_tensors
        if ctx.dropout:
            gradient = gradient / kept_share(ctx.dropout)
        parts = []
        for group, weights, mask in zip(ctx.places.groups, saved[::2], saved[1::2], strict=True):
            queries, keys, values, upstream = (group.gather(tensor) for tensor in (query, key, value, gradient))
            of_weights, kept = torch.bmm(upstream, values.transpose(1, 2)), weights
            if ctx.dropout:
                of_weights, kept = apply_mask(of_weights, mask), apply_mask(weights, mask)
            of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
            of_queries = torch.bmm(of_scores, keys)
            of_keys = torch.bmm(of_scores.transpose(1, 2), queries)
            parts.append((of_queries, of_keys, torch.bmm(kept.transpose(1, 2), upstream)))
        return *(ctx.places.scatter(part) for part in zip(*parts, strict=True)), None, None


class HeadGroup:
    """A group with H heads: where its rows lie among the T x H rows of a tensor (T, H, D)."""

    def __init__(self, group: Group, heads: int) -> None:
        self.group = group
        self.heads = heads
        rows = group.tokens[:, None, :] * heads + np.arange(heads)[:, None]  # (n, H, L)
        self.shape = (rows.shape[0] * heads, rows.shape[2])
        self.rows = torch.from_numpy(rows.reshape(-1))

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """Take the group's rows of (T, H, D). Returns (n x H, L, D)."""
        depth = tensor.shape[-1]
        return tensor.reshape(-1, depth).index_select(0, self.rows).view(*self.shape, depth)

    def softmax(self, scores: torch.Tensor) -> torch.Tensor:
        """Turn scores (n x H, L, L) into weights, 0 beyond a sequence's end.

        In fp32: over bf16 torch's softmax takes 0.6 to 2.4 ns an element here, that over fp32 0.5.
        """
        exact = scores.float()
        by_sequence = exact.view(len(self.group.lengths), self.heads, *scores.shape[1:])
        for number, length in enumerate(self.group.lengths):
            if length < scores.shape[2]:
                by_sequence[number, :, :, length:] = -torch.inf
        return exact.softmax(dim=-1).to(scores.dtype)


class Places:
    """The groups of a row of sequences, and the way back from their rows to the tensor's."""

    def __init__(self, sequences: Sequences, *, heads: int) -> None:
        self.groups = [HeadGroup(group, heads) for group in sequences.groups]
        self.shape = (sequences.row_length, heads)
        rows = np.concatenate([group.rows.numpy() for group in self.groups])
        back = np.full(sequences.row_length * heads, len(rows), dtype=np.int64)
        back[rows] = np.arange(len(rows))
        back[sequences.total * heads :] = len(rows)  # filler: the row of zeros behind all groups
        self.back = torch.from_numpy(back)

    def scatter(self, parts: Iterable[torch.Tensor]) -> torch.Tensor:
        """Put the groups' rows (n x H, L, D) back. Returns (T, H, D), 0 for filler."""
        flat = [part.reshape(-1, part.shape[-1]) for part in parts]
        return (
            torch.cat([*flat, flat[0].new_zeros(1, flat[0].shape[1])]).index_select(0, self.back).view(*self.shape, -1)
        )
