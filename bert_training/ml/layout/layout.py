"""How pieces lie in a batch: the seam between pieces and network. Nothing outside of a layout sees padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from bert_training.ml.task_network import IGNORE, Batch, Piece


class Layout(Protocol):
    """Puts pieces together, runs the network over them and takes its answer apart again."""

    def collate(self, pieces: Sequence[Piece]) -> Batch:
        """Put pieces into one batch, on the CPU."""

    def forward(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Run the network. Returns logits in fp32, as the batch's labels and a last axis of K."""

    def split(self, logits: torch.Tensor, batch: Batch) -> list[torch.Tensor]:
        """Take logits apart, on the CPU: (K,) for each piece with one label, or (tokens, K)."""


@dataclass(frozen=True)
class Padded:
    """Every piece as long as the longest of its batch: (B, T). Works for every network."""

    pad_token_id: int
    label_per_token: bool

    def collate(self, pieces: Sequence[Piece]) -> Batch:
        """Pad pieces on the right. inputs: (B, T); labels: (B, T), or (B,) for one label a piece."""
        lengths = [len(piece.input_ids) for piece in pieces]
        shape = (len(pieces), max(lengths))
        input_ids = np.full(shape, self.pad_token_id, dtype=np.int64)
        attention_mask = np.zeros(shape, dtype=np.int64)
        labels = np.full(shape if self.label_per_token else shape[:1], IGNORE, dtype=np.int64)
        for row, (piece, length) in enumerate(zip(pieces, lengths, strict=True)):
            input_ids[row, :length] = piece.input_ids
            attention_mask[row, :length] = 1
            if self.label_per_token:
                labels[row, :length] = piece.labels
            else:
                labels[row] = piece.labels[0]
        inputs = {"input_ids": torch.from_numpy(input_ids), "attention_mask": torch.from_numpy(attention_mask)}
        weights = torch.tensor([piece.weight for piece in pieces])
        if self.label_per_token:
            weights = weights[:, None].expand(shape)
        return Batch(inputs=inputs, labels=torch.from_numpy(labels), weights=weights, lengths=lengths)

    def forward(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Return logits (B, K) for a label a piece, (B, T, K) for a label a token."""
        logits: torch.Tensor = model(**batch.inputs).logits
        return logits.float()

    def split(self, logits: torch.Tensor, batch: Batch) -> list[torch.Tensor]:
        """Leave the padding out."""
        logits = logits.detach().cpu()
        if logits.dim() == 2:
            return list(logits)
        return [row[:length] for row, length in zip(logits, batch.lengths, strict=True)]
