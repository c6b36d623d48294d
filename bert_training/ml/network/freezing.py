"""Leaves the lower parts of a network as they are: embeddings, and as many layers above them as the settings say."""

from transformers import PreTrainedModel

from bert_training.ml.errors import SettingsUnusable
from bert_training.ml.job import TrainingSettings
from bert_training.ml.network.layers import encoder_layers, parameter_depths


def freeze(model: PreTrainedModel, settings: TrainingSettings) -> str:
    """Freeze what the settings say and tell it in words, "nothing" where all learns.

    Frozen layers freeze the embeddings too: with a gradient on its way to these nothing would be saved.
    Raises SettingsUnusable when there are fewer layers.
    """
    layers = len(encoder_layers(model))
    if settings.frozen_layers > layers:
        raise SettingsUnusable(
            f"frozen_layers is {settings.frozen_layers}, but this base model has {layers} layers. "
            f"Set frozen_layers to {layers} or less."
        )
    if not (settings.freeze_embeddings or settings.frozen_layers):
        return "nothing"
    depths = parameter_depths(model)
    for name, parameter in model.named_parameters():
        if depths[name] <= settings.frozen_layers:
            parameter.requires_grad_(False)
    below = f" and the lowest {settings.frozen_layers} of {layers} layers" if settings.frozen_layers else ""
    return f"embeddings{below}"


def trainable_share(model: PreTrainedModel) -> str:
    """Say how many of the parameters learn: "4,102 of 14,307 parameters learn (28.7 %)"."""
    every = sum(parameter.numel() for parameter in model.parameters())
    learning = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return f"{learning:,} of {every:,} parameters learn ({100 * learning / every:.1f} %)"
