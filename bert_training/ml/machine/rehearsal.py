"""A batch of the longest rows of the run, and a usual one, before training: do they fit, and how long do they take?

Nothing of it stays: weights, optimizer and chance are as before, so that a run with rehearsal is the run without.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from bert_training.ml.job import TrainingJob
from bert_training.ml.keeping.chance import Chance
from bert_training.ml.learning.stepping import Stepper
from bert_training.ml.machine.memory_use import PeakMemory, free_bytes, shown_bytes
from bert_training.ml.machine.preflight import MOMENTS
from bert_training.ml.network.sharding import own_part
from bert_training.ml.preparation import Prepared
from bert_training.ml.rows.batching import epoch_order
from bert_training.ml.rows.cutting import Cutting
from bert_training.ml.task_network import Piece, TaskNetwork

LONGEST_ROWS = 64  # by characters, at least: among them the longest by tokens are looked for


@dataclass(frozen=True)
class Rehearsal:
    """What the longest batch took, and how long a usual one takes a token.

    peak_bytes: optimizer included.  free_bytes: beside that.
    """

    pieces: int
    tokens: int
    seconds: float
    peak_bytes: int
    free_bytes: int
    usual_seconds_a_token: float

    def describe(self) -> str:
        """Say it in a line."""
        return (
            f"Rehearsed the longest batch, {self.pieces} pieces with {self.tokens:,} tokens: {self.seconds:.2f} s, "
            f"{shown_bytes(self.peak_bytes)} of memory with the optimizer; {shown_bytes(self.free_bytes)} more are free"
        )


def rehearse(job: TrainingJob, prepared: Prepared, stepper: Stepper, *, clock: Callable[[], float]) -> Rehearsal:
    """Compute the gradients of the longest micro-batch and of the first one, and drop them.

    Steps down when memory runs out; raises GpuOutOfMemory or HostOutOfMemory when one piece is too much.
    """
    device = stepper.accelerator.device
    chance = Chance.now(device)
    stepper.model.train()
    room = _moments_to_come(stepper)
    world = stepper.world
    count = world.size * ceil(prepared.plan.rows_per_step / job.settings.gradient_accumulation_steps)
    longest = longest_pieces(job.table, prepared.network, prepared.rows.cutting, count=count)
    trial = stepper.micro_batch.retry(lambda: _try(stepper, longest, room, clock), world=world)
    # Apart from the longest one, which is slow because it is the first of all, and because attention to long rows is.
    usual = _first_pieces(job, prepared, count=count)
    seconds_a_token = stepper.micro_batch.retry(lambda: _seconds_a_token(stepper, usual, clock), world=world)
    stepper.optimizer.zero_grad()
    chance.restore()
    return replace(trial, usual_seconds_a_token=seconds_a_token)


def _try(stepper: Stepper, pieces: Sequence[Piece], room: int, clock: Callable[[], float]) -> Rehearsal:
    """Compute one micro-batch. room: bytes that the optimizer will take."""
    device = stepper.accelerator.device
    is_host = device.type == "cpu"
    # a micro-batch for each process, of which all take their share
    batch = list(chain.from_iterable(islice(stepper.micro_batch.cut(pieces), stepper.world.size)))
    with PeakMemory(device) as peak:
        # On a GPU the optimizer's room is taken meanwhile; a host gives memory only to who writes to it.
        taken = torch.empty(0 if is_host else room, dtype=torch.uint8, device=device)
        began = clock()
        figures = stepper.add_gradients(stepper.maker.of_pieces(batch))
        seconds = clock() - began
        del taken
    return Rehearsal(
        pieces=len(batch),
        tokens=figures.tokens,
        seconds=seconds,
        peak_bytes=peak.bytes + (room if is_host else 0),
        free_bytes=max(0, free_bytes(device) - room),
        usual_seconds_a_token=seconds / max(1, figures.tokens),
    )


def _seconds_a_token(stepper: Stepper, pieces: list[Piece], clock: Callable[[], float]) -> float:
    began = clock()
    figures = stepper.add_gradients(stepper.maker.of_pieces(pieces))
    return (clock() - began) / max(1, figures.tokens)


def _first_pieces(job: TrainingJob, prepared: Prepared, *, count: int) -> list[Piece]:
    """Return the pieces that the first epoch begins with."""
    train = prepared.rows.splits["train"]
    rows = epoch_order(len(train), seed=job.settings.seed, epoch=1)[:count]
    return [piece for row in rows for piece in prepared.rows.cutting.cut(train[row])][:count]


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
    trained = [own_part(parameter) for parameter in stepper.model.parameters() if parameter.requires_grad]
    return MOMENTS * sum(parameter.numel() * parameter.element_size() for parameter in trained)
