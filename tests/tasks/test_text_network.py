"""The network for texts: encoding, probabilities, figures."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bert_training.ml.rows.cutting import cutting_for
from bert_training.tasks.text_classification.network import TextClassificationNetwork, build_network
from tests.ml.runs import TEXT_LABELS, text_table, toy_settings
from tests.ml.tiny_bert import write_tiny_bert


def network_of(tmp_path: Path, **settings: object) -> TextClassificationNetwork:
    files = write_tiny_bert(tmp_path / "tiny")
    return build_network(files, label_names=TEXT_LABELS, settings=toy_settings(**settings))


def test_the_network_knows_the_real_names(tmp_path: Path) -> None:
    config = network_of(tmp_path).model.config
    assert config.id2label == {0: "pessoal", 1: "saude", 2: "tributario"}
    assert config.label2id == {"pessoal": 0, "saude": 1, "tributario": 2}


def test_rows_are_encoded_whole_and_in_order(tmp_path: Path) -> None:
    table = text_table(5)
    network = network_of(tmp_path, max_length=8)
    encoded = network.encode(table)
    names = [TEXT_LABELS[example.labels[0]] for example in encoded.examples]
    assert names == table["label"].tolist()
    texts = [network.tokenizer.decode(example.input_ids) for example in encoded.examples]
    assert texts == table["text"].tolist()


@pytest.mark.parametrize(("side", "kept"), [("right", "[CLS] o autor [SEP]"), ("left", "[CLS] autor pede [SEP]")])
def test_a_long_text_is_cut_at_the_side_of_the_settings(tmp_path: Path, side: str, kept: str) -> None:
    table = text_table(1)
    table["text"] = "o autor pede"
    network = network_of(tmp_path, max_length=4, truncation_side=side)
    settings = toy_settings(max_length=4, truncation_side=side)
    (piece,) = cutting_for(network.tokenizer, settings, label_per_token=False).cut(network.encode(table).examples[0])
    assert network.tokenizer.decode(piece.input_ids) == kept


def test_labels_are_counted_without_encoding(tmp_path: Path) -> None:
    table = text_table(3)
    table["label"] = ["saude", "pessoal", "saude"]
    assert network_of(tmp_path).count_labels(table).tolist() == [1, 2, 0]


def test_the_length_is_at_most_what_the_network_has_positions_for(tmp_path: Path) -> None:
    assert network_of(tmp_path, max_length=512).tokenizer.model_max_length == 64


def test_answers_are_probabilities_and_figures_come_from_all_of_them(tmp_path: Path) -> None:
    network = network_of(tmp_path)
    examples = network.encode(text_table(4)).examples
    logits = [torch.nn.functional.one_hot(torch.tensor(e.labels[0]), 3).float() * 9 for e in examples]

    answers = network.answers(network.predict(logits, examples), examples)
    evaluation = network.evaluate(answers)

    assert answers.probabilities.dtype == np.float16
    assert np.sum(answers.probabilities, axis=1) == pytest.approx(1, abs=1e-3)
    assert answers.predicted.tolist() == answers.gold.tolist()
    assert evaluation.metrics["accuracy"] == 1.0
    assert sum(row["support"] for row in evaluation.classes) == 4


def test_without_rows_figures_are_undefined(tmp_path: Path) -> None:
    network = network_of(tmp_path)
    assert set(network.evaluate(network.answers([], [])).metrics.values()) == {None}


def test_the_larger_logit_wins_where_the_probabilities_are_rounded_alike(tmp_path: Path) -> None:
    network = network_of(tmp_path)
    (example,) = network.encode(text_table(1)).examples
    answers = network.answers([np.array([1.0, 1.0001, 0.0], dtype=np.float32)], [example])
    assert answers.probabilities[0, 0] == answers.probabilities[0, 1]
    assert answers.predicted.tolist() == [1]
