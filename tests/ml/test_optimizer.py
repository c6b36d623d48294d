"""AdamW's groups: what decays as in the HF Trainer, how fast each layer learns, and what the settings say of AdamW."""

import pytest
from transformers import Trainer

from bert_training.ml.learning.optimizer import build_optimizer, undecayed_parameters
from bert_training.ml.network.freezing import freeze
from bert_training.ml.network.layers import parameter_depths
from tests.ml.architectures import CONFIGS, tiny_network
from tests.ml.runs import toy_settings


@pytest.mark.parametrize("architecture", CONFIGS)
def test_what_decays_is_what_decays_in_the_hf_trainer(architecture: str) -> None:
    model = tiny_network(architecture)
    names = {name for name, _ in model.named_parameters()}
    reference = Trainer.get_decay_parameter_names(None, model)  # type: ignore[arg-type]
    assert names - undecayed_parameters(model) == set(reference) & names


def test_biases_and_normalisation_do_not_decay_and_embeddings_do() -> None:
    model = tiny_network("bert")
    decay, no_decay = build_optimizer(model, toy_settings(weight_decay=0.1)).param_groups
    assert (decay["weight_decay"], no_decay["weight_decay"]) == (0.1, 0.0)
    assert any(parameter is model.get_input_embeddings().weight for parameter in decay["params"])
    assert {parameter.dim() for parameter in no_decay["params"]} == {1}


def test_each_layer_learns_slower_than_the_one_above_it() -> None:
    model = tiny_network("xlm-roberta")
    optimizer = build_optimizer(model, toy_settings(learning_rate=1.0, layer_lr_decay=0.5))
    rates = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    depths = parameter_depths(model)
    assert {name: rates[id(weight)] for name, weight in model.named_parameters()} == {
        name: 0.5 ** (4 - depth) for name, depth in depths.items()
    }
    assert optimizer.param_groups[0]["lr"] == 1.0  # the one that lines and charts show


def test_what_is_frozen_is_not_in_the_optimizer() -> None:
    model = tiny_network("bert")
    freeze(model, toy_settings(frozen_layers=3))
    optimizer = build_optimizer(model, toy_settings())
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 4  # pooler and classifier


def test_adamw_obeys_its_settings() -> None:
    settings = toy_settings(adam_beta1=0.8, adam_beta2=0.95, adam_epsilon=1e-6)
    optimizer = build_optimizer(tiny_network("bert"), settings)
    assert (optimizer.defaults["betas"], optimizer.defaults["eps"]) == ((0.8, 0.95), 1e-6)
    assert optimizer.defaults["fused"] is True
