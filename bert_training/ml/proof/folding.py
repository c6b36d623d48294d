"""Puts a calibration into the last layer of a network, so that whoever loads it gets the calibrated probabilities."""

import torch
from torch import nn
from transformers import PreTrainedModel

from bert_training.ml.proof.calibration import Calibration


def find_last_layer(model: PreTrainedModel) -> nn.Linear | None:
    """Return the layer that gives the logits: the last linear one above the encoder with an output for each label."""
    inside = f"{model.base_model_prefix}."
    found = [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and module.out_features == model.config.num_labels
        and not name.startswith(inside)
    ]
    return found[-1] if found else None


def fold(layer: nn.Linear, calibration: Calibration) -> None:
    """Divide by the temperature and add the biases, in float64 on the CPU. A layer without bias can take no biases."""
    with torch.no_grad():
        layer.weight.copy_(layer.weight.cpu().double() / calibration.temperature)
        if layer.bias is not None:
            bias = layer.bias.cpu().double() / calibration.temperature
            added = torch.tensor(calibration.biases or 0.0, dtype=torch.float64)
            layer.bias.copy_(bias + added)
