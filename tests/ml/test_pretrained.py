"""What the settings change in a network while it is loaded."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from bert_training.ml.network.pretrained import load_model
from bert_training.ml.training import BaseModelFiles
from tests.ml.architectures import CONFIGS, tiny_network

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
