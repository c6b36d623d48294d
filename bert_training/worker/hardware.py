"""What a training asks of its computer, read beside it: processor, memory, GPUs, disk. Knows no torch and no network.

On a thread of its own: a GPU's driver, or a disk on a network, may hang for minutes, and no step shall wait for it.
"""

import logging
from pathlib import Path

import psutil

from bert_training.contract.messages import Gpu
from bert_training.worker.background import BackgroundLoop
from bert_training.worker.machine import read_gpus
from bert_training.worker.timing import Timing

READ_SECONDS = 1.0  # a reading takes 0.1 ms of one core without a GPU
STEPS_PER_POINT = 10
MOST_GPUS = 8  # those above are not told of: a run has a limited number of figures

logger = logging.getLogger(__name__)

Values = dict[str, float]


class HardwareGauge:
    """The newest reading of this computer: `values` by name, empty until there is one."""

    def __init__(self, folder: Path, timing: Timing) -> None:
        self.values: Values = {}
        self._folder = folder
        self._timing = timing
        self._loop = BackgroundLoop("hardware", self._step, timing)

    def start(self) -> None:
        """Begin to read."""
        psutil.cpu_percent()  # measures between two calls; the first one says 0
        self._loop.start()

    def stop(self) -> None:
        """Read no more."""
        self._loop.stop()

    def _step(self) -> None:
        self._timing.pause(READ_SECONDS, lambda: self._loop.is_stopped)
        try:
            self.values = read_hardware(self._folder)
        except (OSError, psutil.Error) as error:
            logger.debug("the hardware cannot be read: %s", error)
            self.values = {}


def read_hardware(folder: Path) -> Values:
    """Read the whole computer, not this process alone; the disk is the one of `folder`. cpu_percent: since the last."""
    memory = psutil.virtual_memory()
    values: Values = {
        "cpu_percent": psutil.cpu_percent(),
        "memory_bytes": memory.total - memory.available,
        "memory_total_bytes": memory.total,
        "disk_free_bytes": psutil.disk_usage(str(folder)).free,
    }
    for number, gpu in enumerate(read_gpus()[:MOST_GPUS]):
        values |= _gpu_values(f"gpu{number}", gpu)
    return values


def _gpu_values(name: str, gpu: Gpu) -> Values:
    values: Values = {f"{name}_memory_bytes": gpu.memory_used_bytes, f"{name}_memory_total_bytes": gpu.memory_bytes}
    if gpu.utilisation is not None:
        values[f"{name}_percent"] = round(100 * gpu.utilisation, 1)
    if gpu.temperature_celsius is not None:
        values[f"{name}_celsius"] = gpu.temperature_celsius
    return values
