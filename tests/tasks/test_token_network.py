"""The network for entities: alignment of words and sub-tokens, lost words, strict figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from bert_training.ml.rows.cutting import cutting_for, join_logits
from bert_training.ml.task_network import IGNORE
from bert_training.tasks.token_classification.network import (
    SentenceExample,
    TagMismatch,
    TokenClassificationNetwork,
    align_tags,
    build_network,
)
from tests.ml.runs import TAGS, toy_settings
from tests.ml.tiny_bert import write_tiny_bert

B_LOCAL, B_PESSOA, I_PESSOA, OUTSIDE = range(4)


def network_of(tmp_path: Path, **settings: object) -> TokenClassificationNetwork:
    files = write_tiny_bert(tmp_path / "tiny")
    return build_network(files, label_names=TAGS, settings=toy_settings(**settings))


def encode(network: TokenClassificationNetwork, tokens: list[str], tags: list[str]) -> SentenceExample:
    table = pd.DataFrame({"row": [2], "tokens": [tokens], "tags": [tags]})
    return network.encode(table).examples[0]


def perfect_logits(example: SentenceExample) -> torch.Tensor:
    """Logits (T, K) that say the gold tag at every judged sub-token and B-LOCAL elsewhere."""
    return torch.nn.functional.one_hot(torch.tensor(example.labels).clamp(min=0), len(TAGS)).float()


def test_the_first_sub_token_keeps_the_tag() -> None:
    assert align_tags([5, 6, 7], [None, 0, 1, 1, 2, None]) == [IGNORE, 5, 6, IGNORE, 7, IGNORE]


def test_a_sub_token_of_a_word_without_tag_is_refused() -> None:
    with pytest.raises(TagMismatch, match="word 2, but there are 2 tags"):
        align_tags([5, 6], [None, 0, 1, 2])


def test_a_word_of_several_sub_tokens_is_judged_once(tmp_path: Path) -> None:
    example = encode(network_of(tmp_path), ["Ana", "no", "Brasilia"], ["B-PESSOA", "O", "B-LOCAL"])
    assert example.labels.tolist() == [B_PESSOA, OUTSIDE, B_LOCAL, IGNORE]
    assert example.words.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("side", "predicted"),
    [("right", [("PESSOA", 0, 2)]), ("left", [("LOCAL", 3, 4)])],
)
def test_words_that_were_cut_off_count_as_missed(
    tmp_path: Path, side: str, predicted: list[tuple[str, int, int]]
) -> None:
    network = network_of(tmp_path, max_length=4 if side == "right" else 5, truncation_side=side)
    tokens, tags = ["Ana", "Souza", "no", "Brasilia"], ["B-PESSOA", "I-PESSOA", "O", "B-LOCAL"]
    table = pd.DataFrame({"row": [2], "tokens": [tokens], "tags": [tags]})

    encoded = network.encode(table)
    (example,) = encoded.examples
    settings = toy_settings(max_length=network.tokenizer.model_max_length, truncation_side=side)
    pieces = cutting_for(network.tokenizer, settings, label_per_token=True).cut(example)
    perfect = perfect_logits(example)
    logits = [perfect[piece.positions.clip(min=0)] for piece in pieces]
    predictions = network.predict([join_logits(example, pieces, logits)], [example])

    answers = network.answers(predictions, encoded.examples)
    assert [entity[:3] for entity in answers.predicted[0]] == predicted
    assert answers.unseen.tolist() == [2]
    assert network.evaluate(answers).metrics["recall"] == 0.5


def test_a_word_without_any_sub_token_is_lost_and_nothing_shifts(tmp_path: Path) -> None:
    network = network_of(tmp_path)
    example = encode(network, ["Ana", "\u200b", "Brasilia"], ["B-PESSOA", "O", "B-LOCAL"])
    assert example.words.tolist() == [0, 2]
    answers = network.answers(network.predict([perfect_logits(example)], [example]), [example])
    assert [entity[:3] for entity in answers.predicted[0]] == [("PESSOA", 0, 1), ("LOCAL", 2, 3)]
    assert (answers.words.tolist(), answers.right.tolist(), answers.unseen.tolist()) == ([3], [3], [0])


def test_classes_are_entity_types(tmp_path: Path) -> None:
    network = network_of(tmp_path)
    example = encode(network, ["Ana", "Souza"], ["B-PESSOA", "I-PESSOA"])
    logits = np.eye(len(TAGS), dtype=np.float32)[example.tags]
    evaluation = network.evaluate(network.answers([logits], [example]))
    assert [(row["name"], row["f1"], row["support"]) for row in evaluation.classes] == [
        ("LOCAL", None, 0),
        ("PESSOA", 1.0, 1),
    ]


def test_a_byte_level_tokenizer_takes_words_as_words(tmp_path: Path) -> None:
    files = write_tiny_bert(tmp_path / "tiny")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (files.folder / name).unlink()
    vocabulary = {token: index for index, token in enumerate(["[PAD]", "[UNK]", "a", "b", "Ġ", "Ġa", "Ġb"])}
    backend = Tokenizer(models.BPE(vocabulary, [("Ġ", "a"), ("Ġ", "b")], unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder, backend.post_processor = decoders.ByteLevel(), processors.ByteLevel(trim_offsets=True)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]")  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(files.folder)

    network = build_network(files, label_names=TAGS, settings=toy_settings())

    assert encode(network, ["a", "b"], ["O", "O"]).input_ids.tolist() == [5, 6]
