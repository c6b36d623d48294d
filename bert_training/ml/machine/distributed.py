"""Several processes that train one network as one: who this one is among them, and how they add, agree and gather.

One process is a world of one, in which nothing has to be done. Tensors and JSON go between them, never a pickle.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from safetensors.torch import load, save

from bert_training.ml.machine.meeting import MEETING_FILE, world_size

Item = TypeVar("Item")
Tensors = dict[str, torch.Tensor]

# Rank 0 may encode a large table or write a checkpoint to a slow disk while the others wait for it. Nobody waits for
# the dead: whoever starts the processes ends them all as soon as one is gone.
PATIENCE = timedelta(hours=12)


class World:
    """A world of one; `Processes` is one of several. What is collective must be called by all, in the same order."""

    rank = 0
    size = 1
    local_rank = 0  # among those on this machine: number of the GPU

    @property
    def is_main(self) -> bool:
        """Tell whether this process is the one that reports and writes."""
        return self.rank == 0

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """Add a tensor over all processes, in place. Collective."""
        return tensor

    def any(self, flag: bool) -> bool:
        """Tell whether a flag is set in any process. Collective."""
        return bool(self.sum(torch.tensor(int(flag))).item())

    def most(self, number: int) -> int:
        """Return the greatest number of any process. Collective."""
        return number

    def agree(self, value: Any) -> Any:
        """Return rank 0's value everywhere: JSON values, floats exact. Collective."""
        return value

    def gather(self, tensors: Tensors) -> list[Tensors]:
        """Return the CPU tensors of each process, by rank. Collective."""
        return [tensors]

    def wait(self) -> None:
        """Wait until every process is here. Collective."""

    def spread(self, tensors: Sequence[torch.Tensor]) -> None:
        """Give every process rank 0's values, in place. Collective."""

    def share(self, items: Sequence[Item], size_of: Callable[[Item], int]) -> Sequence[Item]:
        """Return this process's part of items of different size: the work of all is near equal. May be empty.

        Longest first, to and fro, so that no process has all the longest; one process keeps them in their order.
        """
        if self.size == 1:
            return items
        order = sorted(range(len(items)), key=lambda index: -size_of(items[index]))
        turns = [*range(self.size), *reversed(range(self.size))]
        return [items[index] for place, index in enumerate(order) if turns[place % len(turns)] == self.rank]

    def deal(self, items: Sequence[Item]) -> Iterator[Item | None]:
        """Return every size-th item for this process; None where it has none while another has."""
        places = range(self.rank, self.rank + len(items), self.size)
        return (items[place] if place < len(items) else None for place in places)


ALONE = World()


class Processes(World):
    """One of several processes, each with a whole network on a device of its own."""

    def __init__(self, *, local_rank: int) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self.local_rank = local_rank

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """Add a tensor over all processes, in place, on the device where it lies."""
        dist.all_reduce(tensor)
        return tensor

    def most(self, number: int) -> int:
        """Return the greatest number of any process."""
        greatest = torch.tensor(number)
        dist.all_reduce(greatest, dist.ReduceOp.MAX)
        return int(greatest)

    def agree(self, value: Any) -> Any:
        """Return rank 0's value everywhere."""
        content = json.dumps(value).encode() if self.is_main else b""
        length = torch.tensor(len(content))
        dist.broadcast(length, 0)
        block = _bytes_tensor(content) if self.is_main else torch.empty(int(length), dtype=torch.uint8)
        dist.broadcast(block, 0)
        return json.loads(_tensor_bytes(block))

    def gather(self, tensors: Tensors) -> list[Tensors]:
        """Return the CPU tensors of each process, by rank."""
        own = _bytes_tensor(save(tensors))
        lengths = [torch.zeros((), dtype=torch.int64) for _rank in range(self.size)]
        dist.all_gather(lengths, torch.tensor(len(own)))
        # gloo gathers equal shapes only
        padded = torch.nn.functional.pad(own, (0, int(max(lengths)) - len(own)))
        blocks = [torch.empty_like(padded) for _rank in range(self.size)]
        dist.all_gather(blocks, padded)
        return [load(_tensor_bytes(block[:length])) for block, length in zip(blocks, lengths, strict=True)]

    def wait(self) -> None:
        """Wait until every process is here; over the host, so that a GPU's queue does not matter."""
        self.sum(torch.zeros(()))

    def spread(self, tensors: Sequence[torch.Tensor]) -> None:
        """Give every process rank 0's values."""
        for tensor in tensors:
            dist.broadcast(tensor.detach(), 0)


def join_world(device: str, environ: Mapping[str, str] = os.environ) -> World:
    """Meet the other processes that torchrun, accelerate or our own launcher started; a world of one without them.

    device: as chosen, "cpu" or "cuda".
    """
    size = world_size(environ)
    if size == 1:
        return World()
    if not dist.is_initialized():
        # gloo beside NCCL: what concerns the host (orders, figures, random states) never waits for a GPU
        backend = "cpu:gloo,cuda:nccl" if device.startswith("cuda") and dist.is_nccl_available() else "gloo"
        dist.init_process_group(backend, timeout=PATIENCE, **_meeting(environ, size))
    return Processes(local_rank=int(environ.get("LOCAL_RANK") or 0))


def _meeting(environ: Mapping[str, str], size: int) -> dict[str, Any]:
    """Say where the processes meet: a file, which opens no port, or the address that a launcher gives."""
    file = environ.get(MEETING_FILE)
    if not file:
        return {"init_method": "env://"}
    store = dist.FileStore(file, size)  # type: ignore[attr-defined]
    return {"store": store, "rank": int(environ["RANK"]), "world_size": size}


def pack(arrays: Sequence[NDArray[Any]]) -> Tensors:
    """Make a few tensors of many arrays of one kind, however many there are: for `World.gather`."""
    if not arrays:
        return {}
    shapes = np.array([array.shape for array in arrays], dtype=np.int64)
    values = np.concatenate([array.reshape(-1) for array in arrays])
    return {"values": torch.from_numpy(values), "shapes": torch.from_numpy(shapes)}


def unpack(tensors: Tensors) -> list[NDArray[Any]]:
    """Undo `pack`."""
    if not tensors:
        return []
    shapes = tensors["shapes"].numpy()
    ends = shapes.prod(axis=1).cumsum()
    parts = np.split(tensors["values"].numpy(), ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _bytes_tensor(content: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def _tensor_bytes(block: torch.Tensor) -> bytes:
    return block.numpy().tobytes()
