"""Attention over concatenated sequences, registered with transformers under one name.

A network that takes its attention from transformers' interface then runs unchanged over a row of tokens without
padding. Called without `sequences`, it is the usual attention over a padded batch.
"""

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from bert_training.ml.layout.sequences import Sequences

NAME = "sequence_by_sequence"


class NeedsPadding(Exception):
    """The network wants something of its attention that only the padded layout gives it; the message names it."""


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sequences: Sequences | None = None,
    **wishes: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each sequence. query, key, value: (1, H, T, D). Returns (1, T, H, D), and no attention weights.

    Raises NeedsPadding for what it does not compute.
    """
    if sequences is None:
        padded: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **wishes
        )
        return padded
    _require_plain(module, query, key, attention_mask, wishes)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # (T, H, D), as the projections left them
    queries, keys, values = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    return sequences.kernel(queries, keys, values, sequences, scale=scale, dropout=dropout)[None], None


def make_mask(**options: Any) -> torch.Tensor | None:
    """Make the mask of a padded batch, none for a row of sequences."""
    return None if options.get("attention_mask") is None else sdpa_mask(**options)


def _require_plain(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    attention_mask: torch.Tensor | None,
    wishes: dict[str, Any],
) -> None:
    """Refuse what a short trial might not show: windows, caps, biases, causal order, shared keys."""
    unknown = [name for name in ("sliding_window", "softcap", "position_bias", "s_aux") if wishes.get(name) is not None]
    if attention_mask is not None:
        unknown.append("attention_mask")
    if getattr(module, "is_causal", False) or wishes.get("is_causal"):
        unknown.append("is_causal")
    if query.shape != key.shape:
        unknown.append("other keys than queries")
    if unknown:
        raise NeedsPadding(f"{type(module).__name__} attends with {', '.join(unknown)}")


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, make_mask)
