"""What this computer has and how busy it is: GPUs as the driver reports them, processor, memory, disk.

And the versions and tasks that a claim names.

Reads names and versions without importing torch, which would cost the supervisor seconds and gigabytes.
"""

import importlib.util
import logging
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import psutil
import pynvml

from bert_training.contract.messages import Gpu

_PACKAGES = ("bert-training-portal", "torch", "transformers", "accelerate")
UNKNOWN = "unknown"

logger = logging.getLogger(__name__)


class Disk(NamedTuple):
    """Bytes of the disk that holds the models."""

    free: int
    all: int


class Memory(NamedTuple):
    """Bytes of the computer's memory."""

    used: int
    all: int


def read_disk(folder: Path) -> Disk:
    """Return how full the disk of a folder is; raises OSError."""
    usage = shutil.disk_usage(folder)
    return Disk(free=usage.free, all=usage.total)


def read_cpu() -> float | None:
    """Return the share of all cores that was busy since this was last asked; None where the system does not tell."""
    try:
        return min(1.0, max(0.0, psutil.cpu_percent() / 100))
    except (psutil.Error, OSError):
        return None


def read_memory() -> Memory | None:
    """Return how full the memory is; None where the system does not tell."""
    try:
        memory = psutil.virtual_memory()
    except (psutil.Error, OSError):
        return None
    return Memory(used=memory.total - memory.available, all=memory.total)


def read_gpus() -> list[Gpu]:
    """Return name, memory, load and temperature of each NVIDIA GPU; an empty list without a driver that makes sense."""
    try:
        pynvml.nvmlInit()
        try:
            return [_read_gpu(pynvml.nvmlDeviceGetHandleByIndex(index)) for index in range(pynvml.nvmlDeviceGetCount())]
        finally:
            pynvml.nvmlShutdown()
    except (pynvml.NVMLError, ValueError):  # a figure that no message can carry must not cost the heartbeat
        return []


def task_names() -> list[str]:
    """Return the tasks that this installation can train: each folder of `tasks` with a spec and a network."""
    spec = importlib.util.find_spec("bert_training.tasks")
    folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    networks = sorted(network for folder in folders for network in folder.glob("*/network.py"))
    return [path.parent.name.replace("_", "-") for path in networks if path.with_name("spec.py").exists()]


def read_versions() -> dict[str, str]:
    """Return the versions that decide what this worker can do."""
    found = {"python": platform.python_version(), "system": platform.platform(terse=True)[:200]}
    return found | {name: package_version(name) for name in _PACKAGES if package_version(name) != UNKNOWN}


def package_version(name: str) -> str:
    """Return the version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return UNKNOWN


def _read_gpu(handle: object) -> Gpu:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return Gpu(
        name=_name(handle),
        memory_bytes=int(memory.total),
        memory_used_bytes=int(memory.used),
        utilisation=_utilisation(handle),
        temperature_celsius=_temperature(handle),
    )


def _name(handle: object) -> str:
    name = pynvml.nvmlDeviceGetName(handle)
    return (name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name))[:200]


def _utilisation(handle: object) -> float | None:
    try:
        return min(1.0, max(0.0, float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100))
    except pynvml.NVMLError:  # not every card and MIG slice reports it
        return None


def _temperature(handle: object) -> float | None:
    try:
        return float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    except pynvml.NVMLError:
        return None
