"""Keeps the weights of the best step on disk during training: safetensors and JSON, whole or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model

from bert_training.data.digest import file_digest
from bert_training.ml.folders import whole_folder

WEIGHTS = "model.safetensors"
STATE = "state.json"


def write_checkpoint(checkpoints: Path, model: torch.nn.Module, *, step: int, state: dict[str, Any]) -> Path:
    """Write checkpoints/step-<step>/ with the weights and `state`, which names them by digest. Returns the folder."""
    folder = checkpoints / f"step-{step}"
    with whole_folder(folder) as unfinished:
        save_model(model, str(unfinished / WEIGHTS), metadata={"format": "pt"})
        manifest = {**state, "step": step, "sha256": file_digest(unfinished / WEIGHTS)}
        (unfinished / STATE).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


def load_weights(model: torch.nn.Module, folder: Path) -> None:
    """Put the weights of a checkpoint into the network, where it is."""
    load_model(model, folder / WEIGHTS)


def keep_only(checkpoints: Path, kept: Path) -> None:
    """Remove the other checkpoints."""
    for folder in checkpoints.glob("step-*"):
        if folder != kept:
            shutil.rmtree(folder)
