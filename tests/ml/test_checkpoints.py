"""A checkpoint is whole, names its weights by digest, and gives them back."""

import json
from pathlib import Path

import torch

from bert_training.data.digest import file_digest
from bert_training.ml.checkpoints import keep_only, load_weights, write_checkpoint


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    written, read = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    load_weights(read, write_checkpoint(tmp_path, written, step=5, state={}))
    assert torch.equal(read.weight, written.weight)
    assert torch.equal(read.bias, written.bias)


def test_the_manifest_names_step_state_and_digest(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, torch.nn.Linear(3, 2), step=5, state={"epoch": 2})
    assert folder.name == "step-5"
    assert json.loads((folder / "state.json").read_text()) == {
        "epoch": 2,
        "step": 5,
        "sha256": file_digest(folder / "model.safetensors"),
    }


def test_only_the_best_checkpoint_stays(tmp_path: Path) -> None:
    folders = [write_checkpoint(tmp_path, torch.nn.Linear(3, 2), step=step, state={}) for step in (1, 2, 3)]
    keep_only(tmp_path, folders[1])
    assert list(tmp_path.iterdir()) == [folders[1]]
