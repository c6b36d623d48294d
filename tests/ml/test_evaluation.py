"""No figure depends on how the rows of a split were batched or ordered."""

import pytest
import torch

from bert_training.ml.evaluation import evaluate_split
from bert_training.ml.task_network import Evaluation, Example, TaskNetwork
from bert_training.ml.training import BaseModelFiles
from bert_training.tasks.text_classification.network import build_network as build_text_network
from bert_training.tasks.token_classification.network import build_network as build_token_network
from tests.ml.runs import TAGS, TEXT_LABELS, Settings, text_table, token_table


def judge(network: TaskNetwork[Example], examples: list[Example], *, batch_size: int) -> Evaluation:
    return evaluate_split(
        network,
        network.model,
        examples,
        batch_size=batch_size,
        device=torch.device("cpu"),
        class_weights=torch.tensor([0.5, 3.0, 1.0, 2.0])[: len(network.model.config.id2label or {})],
        on_batch=lambda: None,
    )


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_figures_of_texts_do_not_depend_on_the_batches(tiny_bert: BaseModelFiles, batch_size: int) -> None:
    network = build_text_network(tiny_bert, label_names=TEXT_LABELS, settings=Settings())
    examples = network.encode(text_table(40), lambda done: None).examples
    assert_same(judge(network, examples, batch_size=batch_size), judge(network, examples[::-1], batch_size=16))


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_figures_of_entities_do_not_depend_on_the_batches(tiny_bert: BaseModelFiles, batch_size: int) -> None:
    network = build_token_network(tiny_bert, label_names=TAGS, settings=Settings())
    examples = network.encode(token_table(40), lambda done: None).examples
    assert_same(judge(network, examples, batch_size=batch_size), judge(network, examples[::-1], batch_size=16))  # type: ignore[arg-type]


def assert_same(one: Evaluation, other: Evaluation) -> None:
    assert one.metrics == pytest.approx(other.metrics, abs=1e-6)
    assert one.classes == other.classes


def test_without_rows_every_figure_is_undefined(tiny_bert: BaseModelFiles) -> None:
    network = build_text_network(tiny_bert, label_names=TEXT_LABELS, settings=Settings())
    evaluation = judge(network, [], batch_size=8)
    assert set(evaluation.metrics.values()) == {None}
    assert "loss" in evaluation.metrics


def test_every_batch_is_a_sign_of_life(tiny_bert: BaseModelFiles) -> None:
    network = build_text_network(tiny_bert, label_names=TEXT_LABELS, settings=Settings())
    examples = network.encode(text_table(20), lambda done: None).examples
    signs: list[int] = []
    evaluate_split(
        network,
        network.model,
        examples,
        batch_size=8,
        device=torch.device("cpu"),
        class_weights=None,
        on_batch=lambda: signs.append(1),
    )
    assert len(signs) == 3
