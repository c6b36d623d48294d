"""No figure depends on how the rows of a split were batched or ordered."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bert_training.ml.judging.evaluation import Judge
from bert_training.ml.layout.layout import Padded
from bert_training.ml.learning.micro_batch import MicroBatch
from bert_training.ml.rows.cutting import cutting_for
from bert_training.ml.task_network import Evaluation, TaskNetwork
from bert_training.ml.training import BaseModelFiles
from bert_training.tasks.text_classification.network import build_network as build_text_network
from bert_training.tasks.token_classification.network import build_network as build_token_network
from tests.ml.runs import TAGS, TEXT_LABELS, text_table, token_table, toy_settings


def judge_of(
    network: TaskNetwork[Any],
    *,
    batch_size: int,
    batch_tokens: int | None = None,
    on_batch: Callable[[], None] = lambda: None,
    on_round: Callable[[], None] = lambda: None,
    **settings: Any,
) -> Judge:
    sizes = toy_settings(batch_size=batch_size, batch_tokens=batch_tokens)
    return Judge(
        network,
        network.model,
        cutting_for(network.tokenizer, toy_settings(**settings), label_per_token=network.label_per_token),
        Padded(network.tokenizer.pad_token_id, label_per_token=network.label_per_token),
        micro_batch=MicroBatch(sizes, torch.device("cpu")),
        device=torch.device("cpu"),
        class_weights=torch.tensor([0.5, 3.0, 1.0, 2.0])[: len(network.model.config.id2label or {})],
        on_batch=on_batch,
        on_round=on_round,
    )


WINDOWS = {"max_length": 8, "truncation_side": "none", "window_overlap": 3}
READINGS = pytest.mark.parametrize("reading", [{}, WINDOWS], ids=["whole", "windows"])


@READINGS
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_figures_of_texts_do_not_depend_on_the_batches(
    tiny_bert: BaseModelFiles, batch_size: int, reading: dict[str, Any]
) -> None:
    network = build_text_network(tiny_bert, label_names=TEXT_LABELS, settings=toy_settings(**reading))
    examples = network.encode(text_table(40)).examples
    one = judge_of(network, batch_size=batch_size, **reading).evaluate(examples)
    other = judge_of(network, batch_size=16, **reading).evaluate(examples[::-1])
    assert_same(one, other)
    assert one.answers.predicted.tolist() == other.answers.predicted.tolist()[::-1]
    assert one.answers.probabilities == pytest.approx(other.answers.probabilities[::-1], abs=1e-3)


@READINGS
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_figures_of_entities_do_not_depend_on_the_batches(
    tiny_bert: BaseModelFiles, batch_size: int, reading: dict[str, Any]
) -> None:
    network = build_token_network(tiny_bert, label_names=TAGS, settings=toy_settings(**reading))
    examples = network.encode(token_table(40)).examples
    one = judge_of(network, batch_size=batch_size, **reading).evaluate(examples)
    other = judge_of(network, batch_size=16, **reading).evaluate(examples[::-1])
    assert_same(one, other)
    assert one.answers.gold == other.answers.gold[::-1]
    assert [[entity[:3] for entity in row] for row in one.answers.predicted] == [
        [entity[:3] for entity in row] for row in other.answers.predicted[::-1]
    ]
    assert one.answers.unseen.tolist() == other.answers.unseen.tolist()[::-1]


def assert_same(one: Evaluation, other: Evaluation) -> None:
    # float16 states a probability to three digits; where one falls on a border, the last bit of a product decides
    assert one.metrics == pytest.approx(other.metrics, abs=1e-3)
    assert one.classes == other.classes


def test_without_rows_every_figure_is_undefined(tiny_bert: BaseModelFiles) -> None:
    network = build_text_network(tiny_bert, label_names=TEXT_LABELS, settings=toy_settings())
    evaluation = judge_of(network, batch_size=8).evaluate([])
    assert set(evaluation.metrics.values()) == {None}
    assert "loss" in evaluation.metrics


def test_every_batch_is_a_sign_of_life(tiny_bert: BaseModelFiles) -> None:
    network = build_text_network(tiny_bert, label_names=TEXT_LABELS, settings=toy_settings())
    examples = network.encode(text_table(20)).examples
    signs: list[int] = []
    judge_of(network, batch_size=8, on_batch=lambda: signs.append(1)).evaluate(examples)
    assert len(signs) == 3


@READINGS
def test_with_a_token_budget_a_round_is_about_a_batch(tiny_bert: BaseModelFiles, reading: dict[str, Any]) -> None:
    network = build_text_network(tiny_bert, label_names=TEXT_LABELS, settings=toy_settings(**reading))
    examples = network.encode(text_table(40)).examples
    rounds: list[int] = []
    by_tokens = judge_of(network, batch_size=1, batch_tokens=100, on_round=lambda: rounds.append(1), **reading)
    assert_same(by_tokens.evaluate(examples), judge_of(network, batch_size=16, **reading).evaluate(examples))
    tokens = sum(len(example.input_ids) + by_tokens.cutting.specials for example in examples)
    assert tokens / 100 <= len(rounds) <= 1 + tokens / 80
