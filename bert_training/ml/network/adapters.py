"""LoRA: small matrices beside the linear layers of the encoder learn instead of all weights (peft).

The network stays the object that it is and is called as before: PEFT exchanges modules inside of it.
"""

from dataclasses import replace
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import SAFETENSORS_WEIGHTS_NAME
from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedModel

from bert_training.ml.errors import SettingsUnusable
from bert_training.ml.job import TrainingSettings
from bert_training.ml.network.layers import encoder_layers, parameter_depths


class Adapter:
    """LoRA in a network. base_name: of the base model, which whoever loads the adapter must have."""

    def __init__(self, model: PreTrainedModel, settings: TrainingSettings, *, base_name: str) -> None:
        targets, head = find_targets(model, above_layer=settings.frozen_layers), find_head(model)
        if not targets:
            raise SettingsUnusable(
                f"LoRA finds no linear layers above the {settings.frozen_layers} frozen ones of this base model. "
                "Set lora_r to 0, or frozen_layers lower."
            )
        config = LoraConfig(
            r=settings.lora_r,
            lora_alpha=settings.lora_alpha,
            lora_dropout=settings.lora_dropout,
            target_modules=targets,
            modules_to_save=head,
        )
        self.peft = get_peft_model(model, config)
        for module in model.modules():
            if isinstance(module, BaseTunerLayer):
                # autocast casts; PEFT would first turn bf16 into fp32 again
                module.cast_input_dtype_enabled = False  # type: ignore[assignment]
        self.tensors: dict[str, torch.Tensor] = {}
        self.base_name = base_name
        kinds = ", ".join(sorted({name.rpartition(".")[2] for name in targets}))
        self.description = (
            f"LoRA of rank {settings.lora_r} (alpha {settings.lora_alpha}, dropout {settings.lora_dropout:g}) "
            f"beside {len(targets)} linear layers ({kinds}); the head learns whole"
        )

    def merge(self) -> None:
        """Add the small matrices to the weights and leave a plain network, to be judged and kept; once, at the end."""
        self.tensors = get_peft_model_state_dict(self.peft, save_embedding_layers=False)
        self.peft.merge_and_unload()

    def save(self, folder: Path) -> None:
        """Write what was merged, adapter and head, into a folder in PEFT's own format."""
        folder.mkdir()
        save_file(
            {name: tensor.contiguous() for name, tensor in self.tensors.items()}, folder / SAFETENSORS_WEIGHTS_NAME
        )
        config = replace(self.peft.peft_config["default"], inference_mode=True, base_model_name_or_path=self.base_name)
        config.save_pretrained(str(folder))


def find_targets(model: PreTrainedModel, *, above_layer: int = 0) -> list[str]:
    """Name the linear layers inside the encoder's layers, whatever the architecture calls them."""
    depths, layers = parameter_depths(model), len(encoder_layers(model))
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and above_layer < depths.get(f"{name}.weight", 0) <= layers
    ]


def find_head(model: PreTrainedModel) -> list[str]:
    """Name the modules with weights above the layers: pooler, last normalisation, classifier."""
    depths, layers = parameter_depths(model), len(encoder_layers(model))
    return list(dict.fromkeys(name.rpartition(".")[0] for name, depth in depths.items() if depth > layers))
