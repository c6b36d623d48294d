"""Batches hold every row once, whatever their lengths, and come apart as they were put together."""

import numpy as np
import torch
from transformers import AutoModelForTokenClassification

from bert_training.ml.batching import collate, cut_into, epoch_order, forward, logits_by_row
from bert_training.ml.pretrained import load_model, load_tokenizer
from bert_training.ml.task_network import IGNORE, Example
from bert_training.ml.training import BaseModelFiles
from tests.ml.runs import Settings


def row(ids: list[int], labels: list[int]) -> Example:
    return Example(np.array(ids, dtype=np.int32), np.array(labels, dtype=np.int64))


def test_an_order_is_the_same_for_a_seed_and_new_in_each_epoch() -> None:
    orders = [epoch_order(50, seed=42, epoch=epoch) for epoch in (1, 2)]
    assert orders[0] == epoch_order(50, seed=42, epoch=1)
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == list(range(50))


def test_the_last_piece_may_be_smaller() -> None:
    assert [list(piece) for piece in cut_into(range(5), 2)] == [[0, 1], [2, 3], [4]]


def test_a_batch_is_as_long_as_its_longest_row() -> None:
    batch = collate([row([1, 2, 3], [0, 1, 2]), row([4], [5])], pad_token_id=9, label_per_token=True)
    assert batch.inputs["input_ids"].tolist() == [[1, 2, 3], [4, 9, 9]]
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.labels.tolist() == [[0, 1, 2], [5, IGNORE, IGNORE]]


def test_a_label_per_text_makes_a_flat_row_of_labels() -> None:
    batch = collate([row([1, 2], [3]), row([4], [5])], pad_token_id=0, label_per_token=False)
    assert batch.labels.tolist() == [3, 5]


def test_the_network_answers_the_same_alone_and_in_a_batch_with_a_longer_row(calm_tiny_bert: BaseModelFiles) -> None:
    model = load_model(AutoModelForTokenClassification, calm_tiny_bert, ["O", "B-X"]).train(False)
    pad = load_tokenizer(calm_tiny_bert, Settings()).pad_token_id
    short, long = row([2, 6, 3], [0, 0, 0]), row([2, 7, 8, 9, 10, 3], [0] * 6)
    alone = collate([short], pad_token_id=pad, label_per_token=True)
    together = collate([long, short], pad_token_id=pad, label_per_token=True)

    with torch.inference_mode():
        first = logits_by_row(forward(model, alone), alone)[0]
        second = logits_by_row(forward(model, together), together)[1]

    assert second.shape == (3, 2)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0)
