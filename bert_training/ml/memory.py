"""Turns the many shapes of "out of memory" into one error with advice in the run's own numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bert_training.ml.errors import GpuOutOfMemory, HostOutOfMemory
from bert_training.ml.job import TrainingSettings

# torch raises a plain RuntimeError for the host (Linux, Windows) and for Apple GPUs.
HOST_PHRASES = ("can't allocate memory", "not enough memory")
# CUDA itself, and the libraries that ask it for memory beside torch's own allocator.
GPU_PHRASES = (
    "MPS backend out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


@contextmanager
def explained_memory_errors(settings: TrainingSettings) -> Iterator[None]:
    """Raise GpuOutOfMemory or HostOutOfMemory in place of what torch and Python raise."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise GpuOutOfMemory(_advice("The GPU ran out of memory", settings)) from error
    except MemoryError as error:
        raise HostOutOfMemory(_advice("The machine ran out of memory", settings)) from error
    except RuntimeError as error:
        if any(phrase in str(error) for phrase in GPU_PHRASES):
            raise GpuOutOfMemory(_advice("The GPU ran out of memory", settings)) from error
        if any(phrase in str(error) for phrase in HOST_PHRASES):
            raise HostOutOfMemory(_advice("The machine ran out of memory", settings)) from error
        raise


def _advice(what: str, settings: TrainingSettings) -> str:
    smaller = max(1, settings.batch_size // 2)
    steps = settings.gradient_accumulation_steps * 2
    return (
        f"{what} with batch_size {settings.batch_size} and max_length {settings.max_length}. "
        f"Try batch_size {smaller} with gradient_accumulation_steps {steps} (the same effective batch), "
        f"or max_length {max(8, settings.max_length // 2)}, or a smaller base model."
    )
