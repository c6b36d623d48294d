"""How a whole row becomes pieces that fit the network, and how their logits become those of the row again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from bert_training.ml.job import TrainingSettings, TruncationSide
from bert_training.ml.task_network import IGNORE, Example, Piece

SPECIAL = -1  # position of a token that is not the row's


@dataclass(frozen=True)
class Cutting:
    """prefix, suffix: special tokens around each piece.  max_length: tokens of a piece, with them."""

    prefix: NDArray[np.int32]
    suffix: NDArray[np.int32]
    max_length: int
    side: TruncationSide
    label_per_token: bool

    @property
    def specials(self) -> int:
        """Count the special tokens of a piece."""
        return len(self.prefix) + len(self.suffix)

    def cut(self, example: Example) -> list[Piece]:
        """Cut a row at the side; one that fits is one piece."""
        length, room = len(example.input_ids), self.max_length - self.specials
        start = max(0, length - room) if self.side == "left" else 0
        return [self._piece(example, np.arange(start, min(length, start + room), dtype=np.int32))]

    def _piece(self, example: Example, tokens: NDArray[np.int32], weight: float = 1.0) -> Piece:
        """Put special tokens around tokens of a row."""
        before, after = (np.full(len(special), SPECIAL, np.int32) for special in (self.prefix, self.suffix))
        positions = np.concatenate([before, tokens, after])
        ids = np.concatenate([self.prefix, example.input_ids[tokens], self.suffix])
        if not self.label_per_token:
            return Piece(ids, example.labels, positions, weight)
        labels = np.where(positions == SPECIAL, IGNORE, example.labels[positions])
        return Piece(ids, labels, positions, weight)


def cutting_for(tokenizer: PreTrainedTokenizerBase, settings: TrainingSettings, *, label_per_token: bool) -> Cutting:
    """Learn the special tokens from what the tokenizer puts around a word."""
    encoding = tokenizer.backend_tokenizer.encode("a")
    own = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
    ids = np.array(encoding.ids, dtype=np.int32)
    first, last = (own[0], own[-1] + 1) if own else (len(ids), len(ids))
    return Cutting(ids[:first], ids[last:], tokenizer.model_max_length, settings.truncation_side, label_per_token)


def join_logits(example: Example, pieces: Sequence[Piece], logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the logits of a row from those of its pieces: (K,), or (T, K) with NaN at tokens that no piece judged."""
    if logits[0].dim() == 1:
        weights = torch.tensor([piece.weight for piece in pieces])
        return (torch.stack(list(logits)) * weights[:, None]).sum(dim=0)
    joined = torch.full((len(example.input_ids), logits[0].shape[-1]), torch.nan)
    for piece, part in zip(pieces, logits, strict=True):
        judged = piece.labels != IGNORE
        joined[torch.from_numpy(piece.positions[judged]).long()] = part[torch.from_numpy(judged)]
    return joined
