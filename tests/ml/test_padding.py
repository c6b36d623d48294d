"""A base model without a padding token is trained and kept like any other."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModel, AutoTokenizer, GPT2Config, ModernBertConfig, PreTrainedTokenizerFast, pipeline

from bert_training.ml.network.padding import use_padding
from bert_training.ml.training import BaseModelFiles
from tests.ml.architectures import SIZE, tiny_network
from tests.ml.runs import Recorder, run_text, run_tokens, text_job, text_table, token_job, token_table
from tests.ml.tiny_bert import WORDS

GPT2: dict[str, Any] = {"vocab_size": len(WORDS), "n_positions": 64, "n_embd": 16, "n_layer": 1, "n_head": 2}


@pytest.fixture
def base_model(tiny_bert: BaseModelFiles) -> BaseModelFiles:
    """The tiny BERT with a tokenizer that knows no padding."""
    plain = AutoTokenizer.from_pretrained(tiny_bert.folder)
    tokens = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain.backend_tokenizer, **tokens)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(tiny_bert.folder)
    assert AutoTokenizer.from_pretrained(tiny_bert.folder).pad_token_id is None
    return tiny_bert


def test_a_base_model_without_padding_token_keeps_the_fast_layout(base_model: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    run_text(text_job(base_model, tmp_path / "job", table=text_table(15), epochs=1), recorder)
    assert "Layout: without padding" in recorder.text
    classify = pipeline("text-classification", model=str(tmp_path / "job" / "final"), device="cpu", batch_size=2)
    assert len(classify(["o autor", "o autor pede salario"])) == 2


def test_a_network_that_knows_no_padding_is_padded(base_model: BaseModelFiles, tmp_path: Path) -> None:
    AutoModel.from_config(GPT2Config(**GPT2)).save_pretrained(base_model.folder)  # type: ignore[no-untyped-call]
    run_text(text_job(base_model, tmp_path / "job", table=text_table(15), epochs=1))
    config = json.loads((tmp_path / "job" / "final" / "config.json").read_text(encoding="utf-8"))
    assert config["pad_token_id"] == WORDS.index("[SEP]")


def test_padding_that_is_known_stays(tiny_bert: BaseModelFiles) -> None:
    tokenizer, model = AutoTokenizer.from_pretrained(tiny_bert.folder), tiny_network("roberta")
    use_padding(model, tokenizer)
    assert (tokenizer.pad_token_id, model.config.pad_token_id) == (0, 1)


def test_tokenizer_and_network_may_differ_in_what_they_pad_with(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    config = ModernBertConfig(**SIZE | {"vocab_size": len(WORDS)}, pad_token_id=1, cls_token_id=2, sep_token_id=3)
    AutoModel.from_config(config).save_pretrained(tiny_bert.folder)  # type: ignore[no-untyped-call]
    recorder = Recorder()
    run_tokens(token_job(tiny_bert, tmp_path / "job", table=token_table(15), epochs=1, max_length=32), recorder)
    assert "Layout: padded" in recorder.text
