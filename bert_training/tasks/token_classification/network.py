"""The network that gives each word of a sentence a tag (IOB2): BERT-type encoder with a head on every token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import AutoModelForTokenClassification

from bert_training.data.figures.entities import OUTSIDE, entity_class_figures, entity_figures
from bert_training.ml.job import TrainingSettings
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.network.loss import cross_entropy_sum, weight_sum
from bert_training.ml.network.pretrained import load_model, load_tokenizer, tokenize_whole
from bert_training.ml.task_network import IGNORE, Batch, Encoded, Evaluation, Example


class TagMismatch(ValueError):
    """A sub-token belongs to a word that has no tag."""


@dataclass(frozen=True)
class SentenceExample(Example):
    """A sentence. tags: gold tag of each of its W words.  words: which word each judged sub-token begins, rising."""

    tags: NDArray[np.int64]
    words: NDArray[np.int64]


def align_tags(tags: Sequence[int], word_ids: Sequence[int | None]) -> list[int]:
    """Spread word tags over sub-tokens: the first sub-token keeps the tag, the rest get IGNORE (-100).

    tags: one id per word, length W.  word_ids: word of each sub-token, length T; None for [CLS], [SEP], padding.
    Returns length T.  Raises TagMismatch when a word id is >= W.
    """
    aligned: list[int] = []
    previous: int | None = None
    for word in word_ids:
        if word is not None and word >= len(tags):
            raise TagMismatch(f"A sub-token belongs to word {word}, but there are {len(tags)} tags.")
        aligned.append(IGNORE if word is None or word == previous else tags[word])
        previous = word
    return aligned


class TokenClassificationNetwork:
    """One tag a word. A prediction is the tag ids of the W words."""

    pipeline_tag = "token-classification"
    label_per_token = True
    example_class = SentenceExample

    def __init__(self, base_model: BaseModelFiles, label_names: list[str], settings: TrainingSettings) -> None:
        self.label_names = label_names
        self.label_smoothing = settings.label_smoothing_factor
        self.tag_ids = {name: index for index, name in enumerate(label_names)}
        self.tokenizer = load_tokenizer(base_model, settings, takes_words=True)
        self.model = load_model(AutoModelForTokenClassification, base_model, label_names, dropout=settings.dropout)

    def count_labels(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """Count each tag. Returns (K,)."""
        tags = [self.tag_ids[tag] for tags in table["tags"] for tag in tags]
        return np.bincount(np.array(tags, dtype=np.int64), minlength=len(self.label_names))

    def encode(self, table: pd.DataFrame) -> Encoded[SentenceExample]:
        """Encode columns `tokens` and `tags`."""
        tags = [[self.tag_ids[tag] for tag in row] for row in table["tags"]]
        encodings = tokenize_whole(self.tokenizer, [list(tokens) for tokens in table["tokens"]], are_words=True)
        examples = [_example(encoding.ids, encoding.word_ids, tags[row]) for row, encoding in enumerate(encodings)]
        return Encoded(examples, sum(len(example.tags) - len(example.words) for example in examples))

    def label_weight(self, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the weights of the tags of a batch."""
        return weight_sum(batch, class_weights)

    def loss(self, logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the weighted cross-entropies of logits against the tags of a batch."""
        return cross_entropy_sum(logits, batch, class_weights, label_smoothing=self.label_smoothing)

    def predict(self, logits: Sequence[torch.Tensor], examples: Sequence[SentenceExample]) -> list[NDArray[Any]]:
        """Turn the logits (T, K) of each sentence into tag ids (W,); a word that was not judged is O."""
        predictions: list[NDArray[Any]] = []
        for row, example in zip(logits, examples, strict=True):
            tags = np.full(len(example.tags), self.tag_ids[OUTSIDE], dtype=np.int64)
            firsts = row.numpy()[example.labels != IGNORE]
            is_judged = ~np.isnan(firsts).any(axis=1)
            tags[example.words[is_judged]] = firsts[is_judged].argmax(axis=1)
            predictions.append(tags)
        return predictions

    def evaluate(self, predictions: Sequence[NDArray[Any]], examples: Sequence[SentenceExample]) -> Evaluation:
        """Judge entities (strict IOB2: type and both borders) of all sentences at once."""
        gold = [[self.label_names[tag] for tag in example.tags] for example in examples]
        predicted = [[self.label_names[tag] for tag in tags] for tags in predictions]
        kinds = sorted({name[2:] for name in self.label_names if name != OUTSIDE})
        return Evaluation(entity_figures(gold, predicted), entity_class_figures(gold, predicted, kinds))


def _example(ids: Sequence[int], word_ids: Sequence[int | None], tags: list[int]) -> SentenceExample:
    labels = np.array(align_tags(tags, word_ids), dtype=np.int64)
    words = [word for word, label in zip(word_ids, labels, strict=True) if label != IGNORE]
    return SentenceExample(
        np.array(ids, dtype=np.int32),
        labels,
        tags=np.array(tags, dtype=np.int64),
        words=np.array(words, dtype=np.int64),
    )


def build_network(
    base_model: BaseModelFiles, *, label_names: list[str], settings: TrainingSettings
) -> TokenClassificationNetwork:
    """Load the base model with a fresh head of len(label_names) tags; index = tag id."""
    return TokenClassificationNetwork(base_model, label_names, settings)
