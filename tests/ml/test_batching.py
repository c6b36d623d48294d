"""Batches hold every row once, whatever their lengths, and come apart as they were put together."""

import numpy as np
import torch
from transformers import AutoModelForTokenClassification

from bert_training.ml.layout.layout import Padded
from bert_training.ml.network.pretrained import load_model, load_tokenizer
from bert_training.ml.rows.batching import cut_into, epoch_order
from bert_training.ml.task_network import IGNORE, Piece
from bert_training.ml.training import BaseModelFiles
from tests.ml.runs import toy_settings


def piece(ids: list[int], labels: list[int]) -> Piece:
    positions = np.arange(len(ids), dtype=np.int32)
    return Piece(np.array(ids, dtype=np.int32), np.array(labels, dtype=np.int64), positions)


def test_an_order_is_the_same_for_a_seed_and_new_in_each_epoch() -> None:
    orders = [epoch_order(50, seed=42, epoch=epoch) for epoch in (1, 2)]
    assert orders[0] == epoch_order(50, seed=42, epoch=1)
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == list(range(50))


def test_the_last_piece_may_be_smaller() -> None:
    assert [list(piece) for piece in cut_into(range(5), 2)] == [[0, 1], [2, 3], [4]]


def test_a_batch_is_as_long_as_its_longest_row() -> None:
    batch = Padded(9, label_per_token=True).collate([piece([1, 2, 3], [0, 1, 2]), piece([4], [5])])
    assert batch.inputs["input_ids"].tolist() == [[1, 2, 3], [4, 9, 9]]
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.labels.tolist() == [[0, 1, 2], [5, IGNORE, IGNORE]]


def test_a_label_per_text_makes_a_flat_row_of_labels() -> None:
    batch = Padded(0, label_per_token=False).collate([piece([1, 2], [3]), piece([4], [5])])
    assert batch.labels.tolist() == [3, 5]


def test_the_network_answers_the_same_alone_and_in_a_batch_with_a_longer_row(calm_tiny_bert: BaseModelFiles) -> None:
    model = load_model(AutoModelForTokenClassification, calm_tiny_bert, ["O", "B-X"]).train(False)
    layout = Padded(load_tokenizer(calm_tiny_bert, toy_settings()).pad_token_id, label_per_token=True)
    short, long = piece([2, 6, 3], [0, 0, 0]), piece([2, 7, 8, 9, 10, 3], [0] * 6)
    alone, together = layout.collate([short]), layout.collate([long, short])

    with torch.inference_mode():
        first = layout.split(layout.forward(model, alone), alone)[0]
        second = layout.split(layout.forward(model, together), together)[1]

    assert second.shape == (3, 2)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0)
