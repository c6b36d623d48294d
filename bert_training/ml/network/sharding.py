"""FSDP: each process keeps a part of the weights, their gradients and moments (torch's fully_shard).

A layer is put together while it computes. Outside of steps the network is put together whole: then processes may
compute as much or as little as they have, and it is called as ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import PreTrainedModel

from bert_training.ml.job import TrainingSettings
from bert_training.ml.machine.distributed import World
from bert_training.ml.network.layers import encoder_layers


class Sharding:
    """Of one network. A step needs equally many forward and backward passes in every process."""

    def __init__(self, model: PreTrainedModel, device: torch.device, world: World) -> None:
        """Leave this process its part, on its device. Before an optimizer is built; all processes hold the same."""
        self.model = model
        mesh = init_device_mesh(device.type, (world.size,))
        parts = [*encoder_layers(model), model]
        self._classes = [type(part) for part in parts]
        self._parts = [fully_shard(part, mesh=mesh) for part in parts]
        for part in self._parts:  # the losses are weighted by the whole step: their gradients are added, not averaged
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Hold the whole network meanwhile. Collective on entering only."""
        for part in self._parts:
            part.unshard()
            part.set_reshard_after_forward(False, recurse=False)
        try:
            yield
        finally:
            for part in self._parts:
                part.reshard()
                part.set_reshard_after_forward(part is not self._parts[-1], recurse=False)  # as torch: not of the root

    def end(self) -> None:
        """Make the network the plain one again that it was, whole in each process. Collective.

        torch has no way back: its hooks would take the network apart at the next `state_dict`. Without those of the
        forward pass, the others find nothing to do.
        """
        plain: dict[torch.nn.Parameter, torch.nn.Parameter] = {}
        for module in self.model.modules():
            for name, parameter in list(module.named_parameters(recurse=False)):
                if parameter not in plain:
                    whole = whole_tensor(parameter.detach())
                    plain[parameter] = torch.nn.Parameter(whole, requires_grad=parameter.requires_grad)
                setattr(module, name, plain[parameter])
        for part, own_class in zip(self._parts, self._classes, strict=True):
            state = part._get_fsdp_state()
            state._pre_forward_hook_handle.remove()
            state._post_forward_hook_handle.remove()
            part.__class__ = own_class  # type: ignore[assignment]


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
