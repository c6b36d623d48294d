"""How much goes through the network at once: halved when memory runs out, so that the effective batch stays."""

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from bert_training.ml.job import TrainingSettings
from bert_training.ml.keeping.chance import Chance
from bert_training.ml.machine.distributed import ALONE, World
from bert_training.ml.machine.memory import MEMORY_ERRORS, SHORTAGES, Shortage, shortage_of, too_small_for_one
from bert_training.ml.rows.batching import cut_by_tokens, cut_into
from bert_training.ml.task_network import Piece

LEAST_TOKENS = 64  # a budget as small as this is one text at a time

Result = TypeVar("Result")


class MicroBatch:
    """The size of a micro-batch, of training and of evaluation: pieces, or tokens where the run has a budget of them.

    on_halved: takes the line that says so.
    """

    def __init__(
        self, settings: TrainingSettings, device: torch.device, *, on_halved: Callable[[str], None] = lambda _line: None
    ) -> None:
        self.settings = settings
        self.by_tokens = settings.batch_tokens is not None
        self.size = settings.batch_tokens or settings.batch_size
        self.size_of_step = self.size * settings.gradient_accumulation_steps
        self.device = device
        self.on_halved = on_halved

    def cut(self, pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
        """Cut pieces into what is computed at once; the last may be smaller."""
        return iter(cut_by_tokens(pieces, self.size)) if self.by_tokens else cut_into(pieces, self.size)

    def retry(self, compute: Callable[[], Result], *, world: World = ALONE) -> Result:
        """Compute; when memory runs out, from the beginning with half the size and the same random numbers.

        `compute` asks `cut` each time and undoes what an unfinished call of it left. Raises GpuOutOfMemory or
        HostOutOfMemory when one piece at a time is too much. world: the processes that all try again when one has to.
        """
        chance = Chance.now(self.device)
        while True:
            shortage: Shortage | None = None
            try:
                result = compute()
            except MEMORY_ERRORS as error:
                shortage = shortage_of(error)
                if shortage is None:
                    raise
                if self.size <= (LEAST_TOKENS if self.by_tokens else 1):
                    raise too_small_for_one(shortage, self.settings) from error
            # Not inside of the handler: the traceback still holds the tensors of the call that failed.
            if not world.any(shortage is not None):
                return result
            self._halve(SHORTAGES[shortage] if shortage else "Another process ran out of memory")
            chance.restore()

    def shrink_to(self, size: int) -> None:
        """Begin with what an earlier part of the run has found to fit."""
        self.size = min(self.size, size)

    def _halve(self, what: str) -> None:
        before, self.size = self.size, max(1, self.size // 2)
        unit = " tokens" if self.by_tokens else ""
        _free_cached_memory(self.device)
        self.on_halved(
            f"{what} with {before:,}{unit} at once. From here on {self.size:,} at once, gradients of "
            f"{-(-self.size_of_step // self.size)} batches added up a step: the effective batch stays "
            f"{self.size_of_step:,}{unit}, and so does the result."
        )


def _free_cached_memory(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
