"""How many pieces go through the network at once: halved when memory runs out, so that the effective batch stays."""

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from bert_training.ml.batching import cut_into
from bert_training.ml.chance import Chance
from bert_training.ml.job import TrainingSettings
from bert_training.ml.memory import MEMORY_ERRORS, SHORTAGES, shortage_of, too_small_for_one
from bert_training.ml.task_network import Piece

Result = TypeVar("Result")


class MicroBatch:
    """The size of a micro-batch, of training and of evaluation. on_halved: takes the line that says so."""

    def __init__(
        self, settings: TrainingSettings, device: torch.device, *, on_halved: Callable[[str], None] = lambda _line: None
    ) -> None:
        self.settings = settings
        self.size = settings.batch_size
        self.rows_per_step = settings.batch_size * settings.gradient_accumulation_steps
        self.device = device
        self.on_halved = on_halved

    def cut(self, pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
        """Cut pieces into what is computed at once; the last may be smaller."""
        return cut_into(pieces, self.size)

    def retry(self, compute: Callable[[], Result]) -> Result:
        """Compute; when memory runs out, from the beginning with half the size and the same random numbers.

        `compute` asks `cut` each time and undoes what an unfinished call of it left. Raises GpuOutOfMemory or
        HostOutOfMemory when one piece at a time is too much.
        """
        chance = Chance.now(self.device)
        while True:
            try:
                return compute()
            except MEMORY_ERRORS as error:
                shortage = shortage_of(error)
                if shortage is None:
                    raise
                if self.size == 1:
                    raise too_small_for_one(shortage, self.settings) from error
            # Not inside of the handler: the traceback still holds the tensors of the call that failed.
            self._halve(SHORTAGES[shortage])
            chance.restore()

    def shrink_to(self, size: int) -> None:
        """Begin with what an earlier part of the run has found to fit."""
        self.size = min(self.size, size)

    def _halve(self, what: str) -> None:
        before, self.size = self.size, self.size // 2
        _free_cached_memory(self.device)
        self.on_halved(
            f"{what} with {before} at once. From here on {self.size} at once, gradients of "
            f"{-(-self.rows_per_step // self.size)} batches added up a step: the effective batch stays "
            f"{self.rows_per_step}, and so does the result."
        )


def _free_cached_memory(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
