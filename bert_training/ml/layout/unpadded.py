"""The layout without padding: the pieces of a batch as one row of tokens, attention within each piece.

Linear layers see exactly the real tokens; the model's own code stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from bert_training.ml.layout import attention
from bert_training.ml.layout.attention_cpu import attend_in_groups
from bert_training.ml.layout.first_tokens import FirstTokens
from bert_training.ml.layout.sequences import AttentionKernel, Sequences
from bert_training.ml.task_network import IGNORE, Batch, Piece

# T is rounded up with filler, a token that occurs and that nothing attends to: products of 912 tokens ran at 470
# GFLOP/s, of 913 at 425, and the library compiles its products for each new T (some 7 ms a step). At least one token,
# for groups to point at.
TOKEN_MULTIPLE = 32


@dataclass(frozen=True)
class Unpadded:
    """All tokens as one row: (1, T). first_position: id of a sequence's first position; kernel: of attention."""

    first_position: int
    label_per_token: bool
    kernel: AttentionKernel = attend_in_groups

    def collate(self, pieces: Sequence[Piece]) -> Batch:
        """Put pieces behind each other, then filler. inputs: (1, T); labels: (1, T), or (B,) for one label a piece."""
        lengths = [len(piece.input_ids) for piece in pieces]
        boundaries = np.concatenate([[0], np.cumsum(lengths)])
        filler = TOKEN_MULTIPLE - boundaries[-1] % TOKEN_MULTIPLE
        ids = np.concatenate([*(piece.input_ids for piece in pieces), np.full(filler, pieces[0].input_ids[0])])
        places = np.arange(boundaries[-1]) - np.repeat(boundaries[:-1], lengths)
        positions = np.concatenate([places, np.zeros(filler, np.int64)]) + self.first_position
        labels = np.concatenate([piece.labels for piece in pieces])
        weights = np.array([piece.weight for piece in pieces], dtype=np.float32)
        if self.label_per_token:
            labels = np.concatenate([labels, np.full(filler, IGNORE)])[None]
            weights = np.concatenate([np.repeat(weights, lengths), np.zeros(filler, np.float32)])[None]
        inputs = {
            "input_ids": torch.from_numpy(ids[None].astype(np.int64)),
            "position_ids": torch.from_numpy(positions[None]),
            "boundaries": torch.from_numpy(boundaries.astype(np.int32)),
        }
        return Batch(inputs=inputs, labels=torch.from_numpy(labels), weights=torch.from_numpy(weights), lengths=lengths)

    def forward(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Return logits (B, K) for a label a piece, (1, T, K) for a label a token."""
        ids, positions, boundaries = (batch.inputs[name] for name in ("input_ids", "position_ids", "boundaries"))
        sequences = Sequences(tuple(batch.lengths), boundaries, ids.shape[1], self.kernel)
        logits: torch.Tensor = model(input_ids=ids, position_ids=positions, sequences=sequences).logits
        return logits.float()

    def split(self, logits: torch.Tensor, batch: Batch) -> list[torch.Tensor]:
        """Cut the row into its pieces."""
        logits = logits.detach().cpu()
        if not self.label_per_token:
            return list(logits)
        return list(torch.split(logits[0, : sum(batch.lengths)], batch.lengths))


def use_unpadded(model: PreTrainedModel, *, label_per_token: bool) -> Unpadded:
    """Make a network take rows without padding; it still takes padded batches."""
    model.set_attn_implementation(attention.NAME)
    base = _base_of(model)
    if not label_per_token:
        FirstTokens(base)
    return Unpadded(_first_position(base), label_per_token)


def _base_of(model: torch.nn.Module) -> torch.nn.Module:
    """Return the network below the head: the innermost that transformers knows as one."""
    return [module for module in model.modules() if isinstance(module, PreTrainedModel)][-1]


def _first_position(base: torch.nn.Module) -> int:
    """Return the id of the first position: 0, or one after the padding's as RoBERTa counts."""
    for name, module in base.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return int(module.padding_idx) + 1
    return 0
