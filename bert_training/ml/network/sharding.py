"""FSDP: each process keeps a part of the weights, their gradients and moments (torch's fully_shard).

A layer is put together while it computes. Outside of steps the network is put together whole: then processes may
compute as much or as little as they have, and it is called as ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import PreTrainedModel

from bert_training.ml.job import TrainingSettings
from bert_training.ml.machine.distributed import World
from bert_training.ml.network.layers import encoder_layers

Tensors = dict[str, torch.Tensor]


class Sharding:
    """Of one network. A step needs equally many forward and backward passes in every process."""

    def __init__(self, model: PreTrainedModel, device: torch.device, world: World) -> None:
        """Leave this process its part, on its device. Before an optimizer is built; all processes hold the same."""
        names = model.state_dict().keys()
        self.model = model
        self._buffers = [name for name, _buffer in model.named_buffers() if name in names]
        mesh = init_device_mesh(device.type, (world.size,))
        for layer in encoder_layers(model):
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        self._parts = [module for module in model.modules() if isinstance(module, FSDPModule)]
        for part in self._parts:  # the losses are weighted by the whole step: their gradients are added, not averaged
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Hold the whole network meanwhile. Collective on entering only."""
        self.put_together()
        try:
            yield
        finally:
            for part in self._parts:
                part.reshard()
                part.set_reshard_after_forward(part is not self.model, recurse=False)

    def put_together(self) -> None:
        """Hold the whole network from here on: its parameters are plain ones. Collective."""
        for part in self._parts:
            part.unshard()
            part.set_reshard_after_forward(False, recurse=False)

    def state(self) -> Tensors:
        """Return what `state_dict` would, of a network that was put together: that would take it apart again."""
        buffers = dict(self.model.named_buffers())
        kept = {name: buffers[name] for name in self._buffers}
        return {**dict(self.model.named_parameters(remove_duplicate=False)), **kept}


def shall_shard(settings: TrainingSettings, world: World) -> bool:
    """Tell whether this run shares its network out."""
    return settings.parallelism == "fsdp" and world.size > 1


def whole_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """Return all of a tensor of which each process may have a part. Collective where it has."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def own_part(tensor: torch.Tensor) -> torch.Tensor:
    """Return what of a tensor lies in this process."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def shared_out_like(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return a tensor that all processes have as another lies: whole or shared out."""
    if not isinstance(like, DTensor):
        return tensor
    # None: nothing is sent, each process takes its part
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
