"""How much memory this process takes where it computes: on the GPU, or of the whole machine, and what is left there."""

import threading
from pathlib import Path
from types import TracebackType

import psutil
import torch

LOOK_SECONDS = 0.005
STATUS = Path("/proc/self/status")  # Linux only: knows the most that the process ever took
GIB = 2**30


class PeakMemory:
    """Measures the most memory that is taken while it is entered: `bytes`, on a GPU without what other programs take.

    CUDA counts by itself. Elsewhere a thread looks 200 times a second, which is often enough for what takes seconds.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> "PeakMemory":
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            self._look()
            self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self.device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self.device)
            return
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        self.bytes = max(self.bytes, _taken_bytes(self.device))


def free_bytes(device: torch.device) -> int:
    """Return what this process could still take, with what torch holds back for it."""
    if device.type == "cuda":
        held_back = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + held_back
    return int(psutil.virtual_memory().available)


def highest_bytes(device: torch.device) -> int:
    """Return the most that was taken so far: on CUDA since the last PeakMemory began, else by this process at all."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = int(getattr(psutil.Process().memory_info(), "peak_wset", 0))  # Windows
    if STATUS.is_file():
        lines = STATUS.read_text(encoding="utf-8").splitlines()
        peak = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    return max(peak, _taken_bytes(device))


def shown_bytes(count: float) -> str:
    """Write an amount of memory for a line."""
    return f"{count / GIB:.1f} GiB"


def _taken_bytes(device: torch.device) -> int:
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    return int(psutil.Process().memory_info().rss)
