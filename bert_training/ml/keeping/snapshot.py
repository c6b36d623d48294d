"""What a training must remember to go on as if it had never stopped: tensors for safetensors, the rest for JSON.

No pickle. Optimizer, schedule, and the random states of Python, numpy, torch and the training's own device.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.distributed.tensor import DTensor

from bert_training.ml.keeping.checkpoints import TRAINING, WEIGHTS
from bert_training.ml.machine.distributed import ALONE, World
from bert_training.ml.network.sharding import shared_out_like, whole_tensor

OPTIMIZER = "optimizer"  # names of tensors: optimizer.<parameter>.<moment>
RANK = "rank"  # names of the random states of further processes: rank.<number>.random.<device>
Tensors = dict[str, torch.Tensor]
Write = Callable[[Path], None]  # writes into a folder


class Learner:
    """The parts of a training that learning changes: network, optimizer, schedule, loss scale, chance."""

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: torch.optim.lr_scheduler.LRScheduler,
        device: torch.device,
        *,
        scaler: torch.amp.GradScaler | None = None,
        world: World = ALONE,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.device = device
        self.scaler = scaler  # of fp16
        self.world = world

    def gather_weights(self) -> Write:
        """Learn the weights from all processes: what is left of the best evaluation. Collective; rank 0 then writes."""
        weights = self._whole(_trained(self.model))
        return lambda folder: save_file(weights, folder / WEIGHTS)

    def gather_tensors(self) -> Write:
        """Learn weights, moments and random states from all processes: what a training goes on from. Collective."""
        write_weights, moments = self.gather_weights(), self._whole(self._moments())
        chance = self._gather_chance()

        def write(folder: Path) -> None:
            write_weights(folder)
            save_file({**moments, **_random_tensors(), **chance}, folder / TRAINING)

        return write

    def _gather_chance(self) -> Tensors:
        by_rank = self.world.gather(_torch_random(self.device))
        return {_of_rank(rank) + name: state for rank, own in enumerate(by_rank) for name, state in own.items()}

    def _whole(self, tensors: Tensors) -> Tensors:
        """Put tensors together that are shared out, one after another, in the host's memory of rank 0."""
        if not any(isinstance(tensor, DTensor) for tensor in tensors.values()):
            return tensors
        put_together = ((name, whole_tensor(tensor)) for name, tensor in tensors.items())
        return {name: tensor.cpu() for name, tensor in put_together if self.world.is_main}

    def facts(self) -> dict[str, Any]:
        """Return what is no tensor, as JSON values."""
        return {
            "optimizer": self.optimizer.state_dict()["param_groups"],
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler else None,
            "random": _random_facts(),
        }

    def restore(self, folder: Path, facts: dict[str, Any]) -> None:
        """Become what `write_tensors` and `facts` kept; nothing may draw a random number between this and a step."""
        load_weights(self.model, folder)
        tensors = load_file(folder / TRAINING)
        groups = [{**group, "betas": tuple(group["betas"])} for group in facts["optimizer"]]
        self.optimizer.load_state_dict({"state": self._moments_by_parameter(tensors), "param_groups": groups})
        self.scheduler.load_state_dict(facts["scheduler"])
        if self.scaler and facts["scaler"]:  # None where the run began in another precision
            self.scaler.load_state_dict(facts["scaler"])
        _restore_random(tensors, facts["random"])
        _restore_torch_random(tensors, self.device, prefix=_of_rank(self.world.rank))

    def _moments(self) -> Tensors:
        state: dict[int, Tensors] = self.optimizer.state_dict()["state"]
        return {
            f"{OPTIMIZER}.{parameter}.{name}": moment.contiguous()
            for parameter, moments in state.items()
            for name, moment in moments.items()
        }

    def _moments_by_parameter(self, tensors: Tensors) -> dict[int, Tensors]:
        """Undo `_moments`; each moment lies as its parameter does."""
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        state: dict[int, Tensors] = {}
        for key, tensor in tensors.items():
            kind, _, rest = key.partition(".")
            if kind == OPTIMIZER:
                number, _, name = rest.partition(".")
                like = parameters[int(number)]
                moment = shared_out_like(tensor, like) if tensor.shape == like.shape else tensor
                state.setdefault(int(number), {})[name] = moment
        return state


def load_weights(model: torch.nn.Module, folder: Path) -> None:
    """Put the weights of a checkpoint into the network, where it is; those that do not learn are the base model's."""
    tensors = load_file(folder / WEIGHTS)
    with torch.no_grad():
        for name, weights in _trained(model).items():
            weights.copy_(shared_out_like(tensors[name], weights))


def _trained(model: torch.nn.Module) -> Tensors:
    """Name the weights that learn, each once: of a frozen network or an adapter a small part of all."""
    return {name: weights.detach() for name, weights in model.named_parameters() if weights.requires_grad}


def _random_tensors() -> Tensors:
    _version, numbers, _gauss = random.getstate()
    _name, keys, *_rest = np.random.get_state(legacy=True)
    return {
        "random.python": torch.tensor(numbers, dtype=torch.int64),
        "random.numpy": torch.from_numpy(np.asarray(keys, dtype=np.int64)),
    }


def _random_facts() -> dict[str, Any]:
    version, _numbers, gauss = random.getstate()
    _name, _keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    numpy_facts = {"position": int(position), "has_gauss": int(has_gauss), "cached": float(cached)}
    return {"python": {"version": version, "gauss": gauss}, "numpy": numpy_facts}


def _restore_random(tensors: Tensors, facts: dict[str, Any]) -> None:
    python, legacy = facts["python"], facts["numpy"]
    random.setstate((python["version"], tuple(tensors["random.python"].tolist()), python["gauss"]))
    keys = tensors["random.numpy"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, legacy["position"], legacy["has_gauss"], legacy["cached"]))


def _of_rank(rank: int) -> str:
    """Return what the names of a process's random states begin with."""
    return f"{RANK}.{rank}." if rank else ""


def _torch_random(device: torch.device) -> Tensors:
    return {"random.torch": torch.get_rng_state(), **_device_random(device)}


def _restore_torch_random(tensors: Tensors, device: torch.device, *, prefix: str) -> None:
    """Restore chance as far as it was kept: a run may have begun on another kind of device, or in fewer processes."""
    state = tensors.get(f"{prefix}random.torch")
    if state is not None:
        torch.set_rng_state(state)
    own = tensors.get(f"{prefix}random.{device.type}")
    if own is not None and device.type == "mps":
        torch.mps.set_rng_state(own)
    elif own is not None:
        torch.cuda.set_rng_state(own, device)


def _device_random(device: torch.device) -> Tensors:
    if device.type == "cuda":
        return {"random.cuda": torch.cuda.get_rng_state(device)}
    if device.type == "mps":
        return {"random.mps": torch.mps.get_rng_state()}
    return {}
