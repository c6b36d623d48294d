"""AdamW over groups of parameters: which decay, and how fast each layer learns."""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from bert_training.ml.job import TrainingSettings
from bert_training.ml.network.layers import parameter_depths


def build_optimizer(model: PreTrainedModel, settings: TrainingSettings) -> torch.optim.AdamW:
    """Make AdamW for what learns. The first group is the highest part of the network, which learns fastest.

    fused: one kernel for all parameters, which torch 2.13 has for CPU, CUDA and Apple GPUs alike.
    """
    return torch.optim.AdamW(
        parameter_groups(model, settings),
        lr=settings.learning_rate,
        betas=(settings.adam_beta1, settings.adam_beta2),
        eps=settings.adam_epsilon,
        fused=True,
    )


def parameter_groups(model: PreTrainedModel, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Group what learns by learning rate and decay: layer_lr_decay to the power of the distance from the head."""
    depths = parameter_depths(model)
    highest = max(depths.values())
    undecayed = undecayed_parameters(model)
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            distance = highest - depths[name] if settings.layer_lr_decay < 1 else 0
            groups.setdefault((distance, name in undecayed), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": settings.learning_rate * settings.layer_lr_decay**distance,
            "weight_decay": 0.0 if is_undecayed else settings.weight_decay,
        }
        for (distance, is_undecayed), parameters in sorted(groups.items(), key=lambda item: item[0])
    ]


def undecayed_parameters(model: nn.Module) -> set[str]:
    """Name the biases and all of normalisation, by the type of its module, as the HF Trainer does; embeddings decay."""
    names = {
        name: type(module).__name__.endswith("Norm")
        for path, module in model.named_modules()
        for name in (f"{path}.{own}" for own, _ in module.named_parameters(recurse=False))
    }
    return {name for name, is_of_norm in names.items() if is_of_norm or "bias" in name}
