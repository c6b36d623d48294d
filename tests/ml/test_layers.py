"""The parts of an encoder are found whatever the architecture calls them; freezing leaves the lower ones alone."""

from pathlib import Path

import pytest

from bert_training.ml.errors import SettingsUnusable
from bert_training.ml.network.freezing import freeze, trainable_share
from bert_training.ml.network.layers import encoder_layers, parameter_depths
from bert_training.ml.training import BaseModelFiles
from tests.ml.architectures import CONFIGS, LAYERS, tiny_network
from tests.ml.runs import Recorder, run_text, text_job, toy_settings


@pytest.mark.parametrize("architecture", CONFIGS)
@pytest.mark.parametrize("label_per_token", [False, True])
def test_embeddings_are_below_the_layers_and_the_head_is_above_them(architecture: str, label_per_token: bool) -> None:
    model = tiny_network(architecture, label_per_token=label_per_token)
    layers = LAYERS[architecture]
    depths = parameter_depths(model)
    assert len(encoder_layers(model)) == layers
    assert {depth for name, depth in depths.items() if "embeddings" in name} == {0}
    head = ("classifier.", "pre_classifier.", "pooler.", "head.")
    assert {depth for name, depth in depths.items() if name.startswith(head)} == {layers + 1}
    assert sorted(set(depths.values())) == list(range(layers + 2))


def test_frozen_layers_freeze_all_below_them() -> None:
    model = tiny_network("roberta")
    said = freeze(model, toy_settings(frozen_layers=2))
    assert said == "embeddings and the lowest 2 of 3 layers"
    assert {depth for name, depth in parameter_depths(model).items() if not learns(model, name)} == {0, 1, 2}


def test_embeddings_alone_can_be_frozen() -> None:
    model = tiny_network("distilbert")
    assert freeze(model, toy_settings(freeze_embeddings=True)) == "embeddings"
    assert {depth for name, depth in parameter_depths(model).items() if not learns(model, name)} == {0}


def learns(model: object, name: str) -> bool:
    return bool(model.get_parameter(name).requires_grad)  # type: ignore[attr-defined]


def test_more_layers_than_there_are_is_an_error_that_names_their_number() -> None:
    with pytest.raises(SettingsUnusable, match="frozen_layers is 4, but this base model has 3 layers"):
        freeze(tiny_network("bert"), toy_settings(frozen_layers=4))


def test_the_log_says_what_learns(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", max_steps=1, frozen_layers=1), recorder)
    assert "parameters learn" in recorder.text
    assert "frozen: embeddings and the lowest 1 of 2 layers" in recorder.text


def test_the_share_of_what_learns_is_counted() -> None:
    model = tiny_network("bert")
    assert trainable_share(model).endswith("parameters learn (100.0 %)")
    model.base_model.requires_grad_(False)
    assert trainable_share(model) == f"51 of {model.num_parameters():,} parameters learn (0.7 %)"
