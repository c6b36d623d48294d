"""Exact attention for short sequences on a CPU: sequences of near-equal length share two batched matrix products.

The library's fused attention was 5 to 7 times slower there in bf16, and cannot drop weights out.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bert_training.ml.layout.random_masks import bits_for, draw_mask, keep, kept_share
from bert_training.ml.layout.sequences import Group, Sequences

WEIGHTS_AT_ONCE = 2**19  # attention weights of a group, or of one head of one sequence: what stays near the cache
HALVES = (torch.bfloat16, torch.float16)
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
        """Compute it and keep what backward needs: the gathered rows, and a group's weights and mask."""
        places = _places(sequences, heads=query.shape[1])
        rows = [places.gather(tensor) for tensor in (query, key, value)]
        masks = places.masks(dropout)
        kept_rows, outputs = [], []
        for group, queries, keys, values, mask in zip(places.groups, *rows, masks, strict=True):
            weights = group.softmax(torch.bmm(queries, keys.transpose(1, 2)))
            dropped = keep(weights, bits_for(mask, weights.dtype)) if dropout else weights
            outputs.append(torch.bmm(dropped, values))
            kept_rows += [queries, keys, values, weights, mask]
        ctx.save_for_backward(*kept_rows)
        ctx.places, ctx.dropout = places, dropout
        output = places.scatter(outputs)
        return output.div_(kept_share(dropout)) if dropout else output

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of query, key and value."""
        saved = ctx.saved_tensors
        if ctx.dropout:
            gradient = gradient / kept_share(ctx.dropout)
        parts = []
        for number, upstream in enumerate(ctx.places.gather(gradient)):
            queries, keys, values, weights, mask = saved[5 * number : 5 * number + 5]
            of_weights, dropped = torch.bmm(upstream, values.transpose(1, 2)), weights
            if ctx.dropout:
                bits = bits_for(mask, weights.dtype)
                of_weights, dropped = keep(of_weights, bits), keep(weights, bits)
            of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
            of_queries = torch.bmm(of_scores, keys)
            of_keys = torch.bmm(of_scores.transpose(1, 2), queries)
            parts.append((of_queries, of_keys, torch.bmm(dropped.transpose(1, 2), upstream)))
        return *(ctx.places.scatter(part) for part in zip(*parts, strict=True)), None, None


class HeadGroup:
    """Some heads of a group: n x h rows of L tokens. rows: (n x h x L,), where they lie in a tensor of (T x H, D)."""

    def __init__(self, group: Group, chosen: NDArray[np.int64], heads: int) -> None:
        count, length = group.tokens.shape
        self.lengths = group.lengths
        self.shape = (count * len(chosen), length)
        self.by_sequence = (count, len(chosen), length, length)
        self.rows = (group.tokens[:, None, :] * heads + chosen[:, None]).reshape(-1)

    def softmax(self, scores: torch.Tensor) -> torch.Tensor:
        """Turn scores (n x H, L, L) into weights, 0 beyond a sequence's end.

        In fp32: over bf16 torch's softmax takes 0.6 to 2.4 ns an element here, that over fp32 0.5.
        """
        exact = scores.float() if scores.dtype in HALVES else scores
        by_sequence = exact.view(self.by_sequence)
        for number, length in enumerate(self.lengths):
            if length < scores.shape[2]:
                by_sequence[number, :, :, length:] = -torch.inf
        return exact.softmax(dim=-1).to(scores.dtype)


class Places:
    """The groups of a row of sequences: the way to them from a tensor (T, H, D), and back."""

    def __init__(self, sequences: Sequences, *, heads: int) -> None:
        self.groups = [
            HeadGroup(group, chosen, heads)
            for group in sequences.groups
            for chosen in np.array_split(np.arange(heads), _parts(group, heads))
        ]
        self.shape = (sequences.row_length, heads)
        self.sizes = [len(group.rows) for group in self.groups]
        rows = np.concatenate([group.rows for group in self.groups])
        back = np.full(sequences.row_length * heads, len(rows))
        back[rows] = np.arange(len(rows))
        back[sequences.total * heads :] = len(rows)  # filler: the row of zeros behind all groups
        self.rows, self.back = torch.from_numpy(rows), torch.from_numpy(back)

    def gather(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """Take each group's rows of (T, H, D). Returns (n x H, L, D) of each."""
        depth = tensor.shape[-1]
        parts = torch.split(tensor.reshape(-1, depth).index_select(0, self.rows), self.sizes)
        return [part.view(*group.shape, depth) for group, part in zip(self.groups, parts, strict=True)]

    def scatter(self, parts: Iterable[torch.Tensor]) -> torch.Tensor:
        """Put the groups' rows (n x H, L, D) back. Returns (T, H, D), 0 for filler."""
        flat = [part.view(-1, part.shape[-1]) for part in parts]
        joined = torch.cat([*flat, flat[0].new_zeros(1, flat[0].shape[1])])
        return joined.index_select(0, self.back).view(*self.shape, -1)

    def masks(self, dropout: float) -> list[torch.Tensor]:
        """Draw the mask of each group's weights: (n x H, L, L) of each; without dropout empty ones."""
        if not dropout:
            return [NO_MASK] * len(self.groups)
        counts = [size * group.shape[1] for size, group in zip(self.sizes, self.groups, strict=True)]
        parts = torch.split(draw_mask(sum(counts), dropout), counts)
        return [part.view(*group.shape, -1) for group, part in zip(self.groups, parts, strict=True)]


def _parts(group: Group, heads: int) -> int:
    """Return into how many parts the heads of a group are split."""
    count, length = group.tokens.shape
    return int(min(heads, -(-heads * count * length**2 // WEIGHTS_AT_ONCE)))


def _places(sequences: Sequences, *, heads: int) -> Places:
    """Return the places that all layers of a network share."""
    if heads not in sequences.plans:
        sequences.plans[heads] = Places(sequences, heads=heads)
    found: Places = sequences.plans[heads]
    return found
