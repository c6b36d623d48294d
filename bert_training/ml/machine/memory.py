"""Turns the many shapes of "out of memory" into one error with advice in the run's own numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bert_training.ml.errors import GpuOutOfMemory, HostOutOfMemory
from bert_training.ml.job import TrainingSettings

# torch raises a plain RuntimeError for the host (Linux, Windows) and for Apple GPUs.
HOST_PHRASES = ("can't allocate memory", "not enough memory", "Cannot allocate memory")
# CUDA itself, and the libraries that ask it for memory beside torch's own allocator.
GPU_PHRASES = (
    "MPS backend out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
MEMORY_ERRORS = (RuntimeError, MemoryError)  # what a shortage may come as; shortage_of tells which of them are one
Shortage = type[GpuOutOfMemory] | type[HostOutOfMemory]
SHORTAGES: dict[Shortage, str] = {
    GpuOutOfMemory: "The GPU ran out of memory",
    HostOutOfMemory: "The machine ran out of memory",
}


def shortage_of(error: BaseException) -> Shortage | None:
    """Tell which memory was too small; None for an error that is about something else."""
    if isinstance(error, torch.OutOfMemoryError):
        return GpuOutOfMemory
    if isinstance(error, MemoryError):
        return HostOutOfMemory
    if not isinstance(error, RuntimeError):
        return None
    if any(phrase in str(error) for phrase in GPU_PHRASES):
        return GpuOutOfMemory
    return HostOutOfMemory if any(phrase in str(error) for phrase in HOST_PHRASES) else None


@contextmanager
def explained_memory_errors(settings: TrainingSettings) -> Iterator[None]:
    """Raise GpuOutOfMemory or HostOutOfMemory in place of what torch and Python raise."""
    try:
        yield
    except MEMORY_ERRORS as error:
        shortage = shortage_of(error)
        if shortage is None:
            raise
        raise shortage(_advice(SHORTAGES[shortage], settings)) from error


def too_small_for_one(shortage: Shortage, settings: TrainingSettings) -> GpuOutOfMemory | HostOutOfMemory:
    """Return the error of a run of which not even one piece fits; advice in the order of what costs least."""
    checkpointing = "" if settings.gradient_checkpointing else "or gradient_checkpointing, "
    return shortage(
        f"{SHORTAGES[shortage]} even with one text at a time instead of batch_size {settings.batch_size}, "
        f"at max_length {settings.max_length}. Try max_length {_shorter(settings)}, {checkpointing}or a smaller base "
        "model."
    )


def _advice(what: str, settings: TrainingSettings) -> str:
    smaller = max(1, settings.batch_size // 2)
    steps = settings.gradient_accumulation_steps * 2
    return (
        f"{what} with batch_size {settings.batch_size} and max_length {settings.max_length}. "
        f"Try batch_size {smaller} with gradient_accumulation_steps {steps} (the same effective batch), "
        f"or max_length {_shorter(settings)}, or a smaller base model."
    )


def _shorter(settings: TrainingSettings) -> int:
    return max(8, settings.max_length // 2)
