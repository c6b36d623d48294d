"""Gradient checkpointing computes layers twice and changes no result."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.models.bert.modeling_bert import BertSelfAttention

from bert_training.ml.network.recomputing import recompute_layers
from bert_training.ml.training import BaseModelFiles
from tests.ml.architectures import tiny_network
from tests.ml.runs import Recorder, run_text, run_tokens, text_job, token_job


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note each pass through a layer's attention: whether it computes gradients."""
    noted: list[bool] = []
    forward = BertSelfAttention.forward

    def noting(self: BertSelfAttention, *arguments: Any, **options: Any) -> Any:
        noted.append(torch.is_grad_enabled())
        return forward(self, *arguments, **options)

    monkeypatch.setattr(BertSelfAttention, "forward", noting)
    return noted


@pytest.mark.parametrize("frozen_layers", [0, 1])
def test_the_result_is_the_same_and_each_layer_runs_twice_a_step(
    tiny_bert: BaseModelFiles, tmp_path: Path, passes: list[bool], frozen_layers: int
) -> None:
    results, counts = [], []
    for wanted in (False, True):
        passes.clear()
        settings: dict[str, Any] = {"gradient_checkpointing": wanted, "max_steps": 3, "frozen_layers": frozen_layers}
        results.append(run_text(text_job(tiny_bert, tmp_path / str(wanted), **settings)))
        counts.append(sum(passes))
    assert results[0] == results[1]
    assert counts[1] > counts[0]


def test_entities_are_the_same_too(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    results = [
        run_tokens(token_job(tiny_bert, tmp_path / str(wanted), max_steps=3, gradient_checkpointing=wanted))
        for wanted in (False, True)
    ]
    assert results[0] == results[1]


def test_an_architecture_that_cannot_says_so() -> None:
    assert recompute_layers(tiny_network("bert"))
    assert not recompute_layers(tiny_network("mpnet"))


def test_a_run_without_it_is_told(tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.ml.preparation.recompute_layers", lambda model: False)
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", max_steps=1, gradient_checkpointing=True), recorder)
    assert ("WARNING", "bert cannot do gradient checkpointing: it trains without") in recorder.lines
