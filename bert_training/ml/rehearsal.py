"""One batch before training, of the longest rows that the run will meet: does it fit, and how long does it take?

Nothing of it stays: weights, optimizer and chance are as before, so that a run with rehearsal is the run without.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from bert_training.ml.chance import Chance
from bert_training.ml.cutting import Cutting
from bert_training.ml.memory_use import PeakMemory, free_bytes, shown_bytes
from bert_training.ml.preflight import MOMENTS
from bert_training.ml.stepping import Stepper
from bert_training.ml.task_network import Piece, TaskNetwork

LONGEST_ROWS = 64  # by characters, at least: among them the longest by tokens are looked for


@dataclass(frozen=True)
class Rehearsal:
    """What a batch took. peak_bytes: optimizer included.  free_bytes: beside that, before it."""

    pieces: int
    tokens: int
    seconds: float
    peak_bytes: int
    free_bytes: int

    def describe(self) -> str:
        """Say it in a line."""
        return (
            f"Rehearsed the longest batch, {self.pieces} pieces with {self.tokens:,} tokens: {self.seconds:.2f} s, "
            f"{shown_bytes(self.peak_bytes)} of memory with the optimizer; {shown_bytes(self.free_bytes)} more are free"
        )


def rehearse(stepper: Stepper, pieces: Sequence[Piece], *, clock: Callable[[], float]) -> Rehearsal:
    """Compute the gradients of the first micro-batch of these pieces, and drop them.

    Steps down when memory runs out; raises GpuOutOfMemory or HostOutOfMemory when one piece is too much.
    """
    device = stepper.accelerator.device
    chance = Chance.now(device)
    stepper.model.train()
    moments = _moments_to_come(stepper)

    def attempt() -> Rehearsal:
        batch = next(iter(stepper.micro_batch.cut(pieces)))
        with PeakMemory(device) as peak:
            # On a GPU the optimizer's room is taken meanwhile; a host gives memory only to who writes to it.
            room = torch.empty(0 if device.type == "cpu" else moments, dtype=torch.uint8, device=device)
            began = clock()
            figures = stepper.add_gradients(stepper.maker.of_pieces(list(batch)))
            seconds = clock() - began
            del room
        taken = peak.bytes + (moments if device.type == "cpu" else 0)
        free = free_bytes(device) - moments
        return Rehearsal(len(batch), figures.tokens, seconds, taken, max(0, free))

    rehearsal = stepper.micro_batch.retry(attempt)
    stepper.optimizer.zero_grad()
    chance.restore()
    return rehearsal


def longest_pieces(table: pd.DataFrame, network: TaskNetwork[Any], cutting: Cutting, *, count: int) -> list[Piece]:
    """Return the longest pieces among the rows with the most characters, longest first.

    Encodes only these rows: all others may still be on their way.
    """
    rows = np.sort(np.argsort(-_characters(table), kind="stable")[: max(count, LONGEST_ROWS)])
    examples = network.encode(table.iloc[rows]).examples
    pieces = [piece for example in examples for piece in cutting.cut(example)]
    return sorted(pieces, key=lambda piece: -len(piece.input_ids))[:count]


def _characters(table: pd.DataFrame) -> NDArray[np.int64]:
    """Measure rows roughly: characters of texts, and of the words in lists. Returns (N,)."""
    total = np.zeros(len(table), dtype=np.int64)
    for name in table.columns:
        if name != "row" and len(table):
            total += np.fromiter((_size(value) for value in table[name]), dtype=np.int64, count=len(table))
    return total


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(map(len, value)) if isinstance(value, list | tuple | np.ndarray) else 0


def _moments_to_come(stepper: Stepper) -> int:
    """Return the bytes that the optimizer will take at its first step; 0 where it has been restored."""
    if stepper.optimizer.state:
        return 0
    trained = [parameter for parameter in stepper.model.parameters() if parameter.requires_grad]
    return MOMENTS * sum(parameter.numel() * parameter.element_size() for parameter in trained)
