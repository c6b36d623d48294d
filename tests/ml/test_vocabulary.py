"""Training the words that occur gives the network that training all words gives, and keeps it whole."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, BartConfig

from bert_training.ml import preparation
from bert_training.ml.layout.vocabulary import UsedWords
from bert_training.ml.training import BaseModelFiles
from tests.ml.interruptions import release_at
from tests.ml.runs import Recorder, run_text, text_job, text_table
from tests.ml.tiny_bert import WORDS as VOCABULARY

BART: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "pad_token_id": 0,
    "eos_token_id": 3,
    "max_position_embeddings": 64,
    "vocab_size": len(VOCABULARY),
}
WORDS = "bert.embeddings.word_embeddings.weight"


def kept_weights(job_dir: Path) -> dict[str, torch.Tensor]:
    return load_file(job_dir / "final" / "model.safetensors")


def test_the_kept_network_is_the_one_of_training_all_words(
    calm_tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"epochs": 3, "weight_decay": 0.3, "warmup_steps": 2}
    run_text(text_job(calm_tiny_bert, tmp_path / "used", **settings))
    monkeypatch.setattr(preparation, "train_used_words", lambda model, rows: None)
    run_text(text_job(calm_tiny_bert, tmp_path / "all", **settings))

    used, every = kept_weights(tmp_path / "used"), kept_weights(tmp_path / "all")
    base = AutoModel.from_pretrained(calm_tiny_bert.folder).get_input_embeddings().weight
    assert not torch.allclose(every[WORDS], base, atol=1e-3)  # also words that never occur have shrunk
    assert used.keys() == every.keys()
    for name, weights in every.items():
        torch.testing.assert_close(used[name], weights, atol=1e-5, rtol=1e-4)


def test_only_words_that_occur_are_in_the_checkpoint(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=1))
    (checkpoint,) = (tmp_path / "job" / "checkpoints").glob("step-*")
    assert len(load_file(checkpoint / "model.safetensors")[WORDS]) < len(kept_weights(tmp_path / "job")[WORDS])


def test_a_word_that_was_not_announced_is_an_error() -> None:
    words = UsedWords(torch.nn.Embedding(5, 2), np.array([1, 3]))
    with pytest.raises(IndexError):
        words(torch.tensor([2]))


def test_scaled_word_vectors_are_trained_whole(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    bart = AutoModel.from_config(BartConfig(scale_embedding=True, **BART))  # type: ignore[no-untyped-call]
    bart.save_pretrained(tiny_bert.folder)
    run_text(text_job(tiny_bert, tmp_path / "job", table=text_table(15), epochs=1))
    (checkpoint,) = (tmp_path / "job" / "checkpoints").glob("step-*")
    assert load_file(checkpoint / "model.safetensors")["model.shared.weight"].shape[0] == len(VOCABULARY)


@pytest.mark.parametrize("began_on", ["cpu", "cuda"])
def test_a_training_goes_on_with_the_words_that_it_began_with(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, began_on: str
) -> None:
    job, chosen = text_job(tiny_bert, tmp_path / "job", epochs=1), preparation._may_spare_words
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "_may_spare_words", lambda job, _device: chosen(job, began_on))
        run_text(job, Recorder(release_at(2)))
    other = {"cpu": "cuda", "cuda": "cpu"}[began_on]
    monkeypatch.setattr(preparation, "_may_spare_words", lambda job, _device: chosen(job, other))
    resumed = run_text(replace(job, resume_step=2))
    assert resumed.ended == "completed"
    assert len(kept_weights(tmp_path / "job")[WORDS]) == len(VOCABULARY)
