"""How a whole row becomes pieces that fit the network, and how their logits become those of the row again.

Windows are those of the tokenizers library (`return_overflowing_tokens` with `stride`), so that whoever reads a kept
model's card gets with a few lines of transformers the very numbers that the model was judged by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from bert_training.ml.job import TrainingSettings, TruncationSide
from bert_training.ml.task_network import IGNORE, Example, Piece

SPECIAL = -1  # position of a token that is not the row's
# Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?": of 510 tokens the first 128 and the last 382 were
# the best of what they tried.
HEAD_PARTS = 4
KEPT_LENGTHS = 1024  # lengths whose positions are remembered: at most 2 MiB for pieces of 512 tokens

Tokens = NDArray[np.int32]


@dataclass(frozen=True)
class Cutting:
    """prefix, suffix: special tokens around each piece.  max_length: tokens of a piece, with them.

    overlap: tokens of a window that the next one reads again; matters only where side is "none".
    stand_in: the token of an empty row where no special tokens are put around rows: a piece has one at least.
    """

    prefix: Tokens
    suffix: Tokens
    max_length: int
    side: TruncationSide
    label_per_token: bool
    overlap: int = 0
    stand_in: int = 0

    @property
    def specials(self) -> int:
        """Count the special tokens of a piece."""
        return len(self.prefix) + len(self.suffix)

    @property
    def room(self) -> int:
        """Count the tokens of a row that a piece has room for."""
        return self.max_length - self.specials

    def cut(self, example: Example) -> list[Piece]:
        """Cut a row at the side; one that fits is one piece (3 microseconds for 80 tokens)."""
        length = len(example.input_ids)
        if not length + self.specials:
            return [self._nothing(example)]
        if length <= self.room:
            return [self._piece(example.input_ids, example.labels, _positions(self.specials_around, length))]
        if self.side == "none":
            return self._windows(example)
        return [self._part(example, kept_tokens(length, self.room, self.side))]

    @property
    def specials_around(self) -> tuple[int, int]:
        """Count the special tokens before and behind a piece."""
        return len(self.prefix), len(self.suffix)

    def facts(self) -> dict[str, Any]:
        """Return how long rows are read, under the names of the settings; as they hold for this base model."""
        return {"truncation_side": self.side, "max_length": self.max_length, "window_overlap": self.overlap}

    def count_seen(self, length: int) -> int:
        """Count the tokens of a row of this length that go through the network."""
        return length if self.side == "none" else min(length, self.room)

    def _nothing(self, example: Example) -> Piece:
        """Make the piece of a row without tokens that has no special tokens either; a label of the row is judged."""
        labels = np.array([IGNORE]) if self.label_per_token else example.labels
        return Piece(np.array([self.stand_in], np.int32), labels, np.array([SPECIAL], np.int32))

    def _windows(self, example: Example) -> list[Piece]:
        """Cut a row into windows: a label of the row is shared by all, a label of a token belongs to one of them."""
        length = len(example.input_ids)
        starts, ends = window_borders(length, self.room, overlap=self.overlap)
        windows = [np.arange(start, end, dtype=np.int32) for start, end in zip(starts, ends, strict=True)]
        if not self.label_per_token:
            return [self._part(example, tokens, weight=1 / len(windows)) for tokens in windows]
        owners = owning_windows(length, starts, ends)
        return [self._part(example, tokens, owned=owners[tokens] == own) for own, tokens in enumerate(windows)]

    def _part(
        self, example: Example, tokens: Tokens, *, weight: float = 1.0, owned: NDArray[np.bool_] | None = None
    ) -> Piece:
        """Make a piece of some tokens of a row; only labels of owned ones are judged in it (None = all)."""
        before, after = self.specials_around
        positions = np.concatenate((np.full(before, SPECIAL, np.int32), tokens, np.full(after, SPECIAL, np.int32)))
        labels = example.labels
        if self.label_per_token:
            labels = labels[tokens] if owned is None else np.where(owned, labels[tokens], IGNORE)
        return self._piece(example.input_ids[tokens], labels, positions, weight=weight)

    def _piece(self, ids: Tokens, labels: NDArray[np.int64], positions: Tokens, *, weight: float = 1.0) -> Piece:
        """Put special tokens around tokens, and IGNORE around the labels of tokens."""
        if self.label_per_token:
            before, after = self.specials_around
            labels = np.concatenate((np.full(before, IGNORE), labels, np.full(after, IGNORE)))
        return Piece(np.concatenate((self.prefix, ids, self.suffix)), labels, positions, weight)


def kept_tokens(length: int, room: int, side: TruncationSide) -> Tokens:
    """Return which tokens of a row that is too long are kept: (room,), rising."""
    if side == "left":
        return np.arange(length - room, length, dtype=np.int32)
    if side == "middle":
        head = -(-room // HEAD_PARTS)
        return np.concatenate(
            (np.arange(head, dtype=np.int32), np.arange(length - room + head, length, dtype=np.int32))
        )
    return np.arange(room, dtype=np.int32)


def window_borders(length: int, room: int, *, overlap: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first token and the end of each window of a row that is too long; the last window may be shorter."""
    stride = room - overlap
    starts = np.arange(1 + -(-(length - room) // stride)) * stride
    return starts, np.minimum(starts + room, length)


def owning_windows(length: int, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each token the window in which it has most context: two windows halve what both read. (length,)"""
    borders = (starts[1:] + ends[:-1] + 1) // 2
    return np.searchsorted(borders, np.arange(length), side="right")


@lru_cache(maxsize=KEPT_LENGTHS)
def _positions(specials_around: tuple[int, int], length: int) -> Tokens:
    """Return the positions of a row that fits; one array for all rows of a length, so it cannot be written to."""
    before, after = specials_around
    positions = np.full(before + length + after, SPECIAL, dtype=np.int32)
    positions[before : before + length] = np.arange(length)
    positions.flags.writeable = False
    return positions


def cutting_for(tokenizer: PreTrainedTokenizerBase, settings: TrainingSettings, *, label_per_token: bool) -> Cutting:
    """Learn the special tokens from what the tokenizer puts around a word."""
    # called as rows are: some files say that every text is padded to 128 tokens, which this takes back
    (encoding,) = tokenizer("a").encodings or []
    own = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
    ids = np.array(encoding.ids, dtype=np.int32)
    first, last = (own[0], own[-1] + 1) if own else (len(ids), len(ids))
    prefix, suffix, max_length = ids[:first], ids[last:], tokenizer.model_max_length
    # a base model with fewer positions than max_length lowers the overlap with it
    overlap = min(settings.window_overlap, max_length // 2, max_length - len(prefix) - len(suffix) - 1)
    stand_in = tokenizer.pad_token_id or 0
    return Cutting(prefix, suffix, max_length, settings.truncation_side, label_per_token, overlap, stand_in)


def join_logits(example: Example, pieces: Sequence[Piece], logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the logits of a row from those of its pieces: (K,), or (T, K) with NaN at tokens that no piece judged.

    A label a row: the mean of the windows' logits, not of their probabilities. So a document has logits like any other
    row, softmax and a temperature act on it in the same way, and one window is exactly what a short text is.
    """
    if logits[0].dim() == 1:
        weights = torch.tensor([piece.weight for piece in pieces])
        return (torch.stack(list(logits)) * weights[:, None]).sum(dim=0)
    joined = torch.full((len(example.input_ids), logits[0].shape[-1]), torch.nan)
    for piece, part in zip(pieces, logits, strict=True):
        judged = piece.labels != IGNORE
        joined[torch.from_numpy(piece.positions[judged]).long()] = part[torch.from_numpy(judged)]
    return joined
