"""A training begins from a kept model: all its weights where the labels are the same, else all but the head."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bert_training.ml.errors import BaseModelUnavailable
from bert_training.ml.training import BaseModelFiles
from tests.ml.runs import Recorder, run_text, text_job, text_table

HEAD = "classifier.weight"


@pytest.fixture
def kept(tiny_bert: BaseModelFiles, tmp_path: Path) -> Path:
    """Return the folder of a model that was trained for one epoch."""
    run_text(text_job(tiny_bert, tmp_path / "first", epochs=1))
    return tmp_path / "first" / "final"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_with_the_same_labels_everything_is_taken_over(tiny_bert: BaseModelFiles, kept: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    job = text_job(tiny_bert, tmp_path / "second", max_steps=1, learning_rate=0.0)
    run_text(replace(job, initial_weights=kept), recorder)
    second = weights(tmp_path / "second" / "final")
    assert all(torch.equal(tensor, second[name]) for name, tensor in weights(kept).items())
    assert "its head goes on learning" in recorder.text


def test_with_other_labels_the_head_is_made_anew(tiny_bert: BaseModelFiles, kept: Path, tmp_path: Path) -> None:
    """Also where their number is the same: position 0 would mean another label."""
    recorder = Recorder()
    table = text_table()
    table["label"] = table["label"].map({"pessoal": "zelo", "saude": "saude", "tributario": "tributario"})
    job = text_job(tiny_bert, tmp_path / "second", table=table, max_steps=1, learning_rate=0.0)
    job = replace(job, label_names=["saude", "tributario", "zelo"], initial_weights=kept)
    run_text(job, recorder)
    first, second = weights(kept), weights(tmp_path / "second" / "final")
    assert not torch.equal(first[HEAD], second[HEAD])
    assert all(torch.equal(first[name], second[name]) for name in first if name.startswith("bert."))
    assert "its head is made anew" in recorder.text


def test_a_model_of_another_shape_is_refused(tiny_bert: BaseModelFiles, kept: Path, tmp_path: Path) -> None:
    tensors = weights(kept)
    place = next(name for name in tensors if name.endswith("word_embeddings.weight"))
    save_file({**tensors, place: tensors[place][:-1].clone()}, kept / "model.safetensors")
    with pytest.raises(BaseModelUnavailable, match="does not fit the base model"):
        run_text(replace(text_job(tiny_bert, tmp_path / "second"), initial_weights=kept))
