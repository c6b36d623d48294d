"""Begins from a model that was trained before: its weights in place of the base model's, with a head for these labels.

A new training: neither optimizer nor schedule of the old one. Architecture and tokenizer stay those of the base model.
"""

from pathlib import Path

from safetensors.torch import load_file
from transformers import AutoConfig, PreTrainedModel

from bert_training.ml.errors import BaseModelUnavailable
from bert_training.ml.keeping.checkpoints import WEIGHTS


def load_initial_weights(model: PreTrainedModel, folder: Path, label_names: list[str]) -> str:
    """Put the weights of a kept model into a fresh network. Returns what became of its head, as a line.

    The head is taken over only where the labels are the same in the same order: else it would mean other labels.
    """
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    known = [config.id2label[number] for number in sorted(config.id2label)]
    tensors = load_file(folder / WEIGHTS)
    if known != label_names:
        tensors = {name: tensor for name, tensor in tensors.items() if name.startswith(f"{model.base_model_prefix}.")}
    own = model.state_dict()
    alien = [name for name, tensor in tensors.items() if name not in own or own[name].shape != tensor.shape]
    if alien or not tensors:
        raise BaseModelUnavailable(
            f"The model in {folder} does not fit the base model {model.name_or_path!r} (first: {alien[:1]}). "
            "Begin from a model that was trained from the same base model, in the same version."
        )
    model.load_state_dict(tensors, strict=False)
    if known == label_names:
        return "the labels are the same, so its head goes on learning"
    return f"its head is made anew: it knew {len(known):,} labels, here are {len(label_names):,}, not the same ones"
