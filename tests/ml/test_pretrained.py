"""What the settings change in a network while it is loaded."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification

from bert_training.ml.network.pretrained import load_model, load_tokenizer
from bert_training.ml.training import BaseModelFiles
from tests.ml.architectures import CONFIGS, tiny_network
from tests.ml.runs import toy_settings
from tests.ml.tiny_bert import write_tiny_bert

LABELS = ["a", "b", "c"]


@pytest.fixture(params=CONFIGS)
def base_model(request: pytest.FixtureRequest, tmp_path: Path) -> BaseModelFiles:
    tiny_network(request.param).save_pretrained(tmp_path)
    return BaseModelFiles(name=request.param, folder=tmp_path, revision="test")


@pytest.mark.parametrize("auto", [AutoModelForSequenceClassification, AutoModelForTokenClassification])
def test_dropout_is_set_in_every_layer_and_in_the_head(base_model: BaseModelFiles, auto: Any) -> None:
    model = load_model(auto, base_model, LABELS, dropout=0.35)
    layers = {name: module.p for name, module in model.named_modules() if isinstance(module, torch.nn.Dropout)}
    assert layers
    assert set(layers.values()) == {0.35}


def test_without_the_setting_dropout_is_that_of_the_base_model(tiny_bert: BaseModelFiles) -> None:
    model = load_model(AutoModelForSequenceClassification, tiny_bert, LABELS)
    assert {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)} == {0.1}


def test_texts_are_cut_where_the_network_has_no_more_positions(base_model: BaseModelFiles, tmp_path: Path) -> None:
    write_tiny_bert(tmp_path / "words")
    for file in (tmp_path / "words").glob("tokenizer*"):
        shutil.copy(file, base_model.folder)
    most = load_tokenizer(base_model, toy_settings(max_length=10_000)).model_max_length
    model = load_model(AutoModelForSequenceClassification, base_model, LABELS).train(False)

    with torch.no_grad():
        assert model(input_ids=torch.full((1, most), 5)).logits.shape == (1, 3)
    if base_model.name not in ("modernbert", "deberta-v2"):  # whose positions are relative
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, most + 1), 5))


def test_a_network_without_positions_of_its_own_limits_no_text(tiny_bert: BaseModelFiles) -> None:
    AutoConfig.for_model("xlnet").save_pretrained(tiny_bert.folder)
    assert load_tokenizer(tiny_bert, toy_settings(max_length=512)).model_max_length == 512
