"""Chooses device and threads, and says in words what was chosen. Runs on Linux, Windows and macOS."""

import ctypes
import os
import platform
from pathlib import Path

import torch

from bert_training.ml.errors import GpuNotFound
from bert_training.ml.machine.distributed import World

CPUINFO = Path("/proc/cpuinfo")  # Linux only; elsewhere the processor stays nameless and without known flags

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
TRIM_BYTES = 2**31 - 1
MMAP_BYTES = 2**25  # the most that every glibc takes


def choose_device(device: str) -> str:
    """Turn "auto" into a device of this machine: cuda, mps or cpu. A named GPU that is not there is an error."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, index = device.partition(":")
    if kind == "cuda":
        _require_cuda(device, index)
    elif kind == "mps" and not torch.backends.mps.is_available():
        raise GpuNotFound("Device 'mps' was asked for, but this machine has no Apple GPU. Use --device auto or cpu.")
    elif kind not in ("cpu", "mps"):
        raise GpuNotFound(f"Device {device!r} is unknown. Use auto, cpu, cuda, cuda:<number> or mps.")
    return device


def _require_cuda(device: str, index: str) -> None:
    if not torch.cuda.is_available():
        build = torch.version.cuda or "none: this torch is a CPU build"
        raise GpuNotFound(
            f"Device {device!r} was asked for, but torch sees no CUDA GPU (torch {torch.__version__}, CUDA {build}). "
            "Install a CUDA build of torch and the driver, or use --device cpu."
        )
    count = torch.cuda.device_count()
    if index and not (index.isdecimal() and int(index) < count):
        raise GpuNotFound(f"Device {device!r} was asked for, but this machine has cuda:0 to cuda:{count - 1}.")


def count_processes(wanted: int | None, device: str) -> int:
    """Return how many processes train together: as many as are wanted, or one for each GPU of "cuda", else one."""
    gpus = torch.cuda.device_count() if device == "cuda" else 0
    if wanted is None:
        return max(1, gpus)
    if device.startswith("cuda") and wanted > max(1, gpus):
        raise GpuNotFound(
            f"{wanted} processes were asked for, but there are {max(1, gpus)} GPUs for them: one for each."
        )
    return wanted


def device_of_rank(device: str, world: World) -> str:
    """Give each of several processes its own CUDA GPU; another kind of device, or one process, stays as it is."""
    if world.size == 1 or not device.startswith("cuda"):
        return device
    _require_cuda(f"cuda:{world.local_rank}", str(world.local_rank))
    return f"cuda:{world.local_rank}"


def select_device(device: str) -> None:
    """Make a numbered CUDA device the current one, which is where the loop puts the network."""
    kind, _, index = device.partition(":")
    if kind == "cuda" and index:
        torch.cuda.set_device(int(index))


def free_threads() -> int:
    """Count cores that nobody uses now, at least 1.

    Two OpenMP threads beside one busy process were measured up to 10 times slower than one: they spin at barriers.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # Linux: honours taskset and containers
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    load = getattr(os, "getloadavg", None)  # not on Windows
    return max(1, cores - round(load()[0] if load else 0))


def use_threads(threads: int | None) -> int:
    """Limit the computing threads of this process and return their number.

    None = what OMP_NUM_THREADS says, as everywhere in the field, or else the free cores.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    count = threads or (int(given) if given.isdecimal() and int(given) else free_threads())
    torch.set_num_threads(count)
    os.environ["RAYON_NUM_THREADS"] = str(count)  # the tokenizer's own pool, read when it first encodes
    return count


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, for the tensors of the next step; only glibc can be told.

    Given back and asked for again, a step's gradients cost a page fault for each 4 KB: 3 to 6 % of a step of bert-base.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    malloc_option = ctypes.CDLL(None).mallopt
    return all([malloc_option(M_MMAP_THRESHOLD, MMAP_BYTES), malloc_option(M_TRIM_THRESHOLD, TRIM_BYTES)])


def describe_device(device: str) -> str:
    """Name the device for the log: "NVIDIA H200 (139.7 GiB)" or "AMD EPYC, 2 cores"."""
    if device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(torch.device(device))
        return f"{properties.name} ({properties.total_memory / 2**30:.1f} GiB)"
    if device == "mps":
        return "Apple GPU"
    return f"{_cpuinfo_value('model name') or platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def cpu_flags() -> frozenset[str]:
    """Return the processor's feature flags on Linux x86, nothing elsewhere."""
    return frozenset(_cpuinfo_value("flags").split())


def _cpuinfo_value(key: str) -> str:
    if not CPUINFO.is_file():
        return ""
    lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    return next(
        (value.strip() for name, _, value in (line.partition(":") for line in lines) if name.strip() == key), ""
    )
