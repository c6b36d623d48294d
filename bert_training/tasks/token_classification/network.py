"""The network that gives each word of a sentence a tag (IOB2): BERT-type encoder with a head on every token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import AutoModelForTokenClassification

from bert_training.data.figures.entities import ENTITIES, OUTSIDE
from bert_training.data.figures.judgement import Judgement
from bert_training.data.predicting.entity_answers import entity_answers
from bert_training.data.predicting.predictions import EntityAnswers
from bert_training.ml.job import TrainingSettings
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.network.loss import cross_entropy_sum, weight_sum
from bert_training.ml.network.pretrained import load_model, load_tokenizer, tokenize_whole
from bert_training.ml.network.probabilities import softmax
from bert_training.ml.task_network import IGNORE, Batch, Encoded, Evaluation, Example, Logits
from bert_training.tasks.token_classification.baseline import build_baselines

__all__ = [
    "SentenceExample",
    "TagMismatch",
    "TokenClassificationNetwork",
    "align_tags",
    "build_baselines",
    "build_network",
]


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
    """One tag a word. A prediction is the logits of the K tags for each of the W words."""

    pipeline_tag = "token-classification"
    label_per_token = True
    example_class = SentenceExample
    judgement: Judgement[Any] = ENTITIES

    def __init__(self, base_model: BaseModelFiles, label_names: list[str], settings: TrainingSettings) -> None:
        self.label_names = label_names
        self.judged_names = sorted({name[2:] for name in label_names if name != OUTSIDE})
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

    def predict(self, logits: Sequence[torch.Tensor], examples: Sequence[SentenceExample]) -> list[Logits]:
        """Answer with the logits of each word (W, K) from those of each sentence's tokens (T, K)."""
        predictions: list[Logits] = []
        for row, example in zip(logits, examples, strict=True):
            of_words = np.full((len(example.tags), len(self.label_names)), np.nan, dtype=np.float32)
            of_words[example.words] = row.numpy()[example.labels != IGNORE]
            predictions.append(of_words)
        return predictions

    def gold_ids(self, examples: Sequence[SentenceExample]) -> NDArray[np.int64]:
        """Return the right tag of each word of all sentences: (N,)."""
        return np.concatenate([example.tags for example in examples]) if examples else np.zeros(0, dtype=np.int64)

    def answers(self, predictions: Sequence[Logits], examples: Sequence[SentenceExample]) -> EntityAnswers:
        """Turn logits (W, K) of each sentence into entities; a word that was not judged is O."""
        predicted, certainties, unseen = [], [], []
        for logits, example in zip(predictions, examples, strict=True):
            is_judged = np.isfinite(logits).min(axis=1)
            tags = np.full(len(logits), self.tag_ids[OUTSIDE], dtype=np.int64)
            tags[is_judged] = logits[is_judged].argmax(axis=1)
            predicted.append(self._names_of(tags))
            certainties.append(softmax(logits.astype(np.float64)).max(axis=1))
            unseen.append(int((~is_judged[example.words]).sum()))
        gold = [self._names_of(example.tags) for example in examples]
        return entity_answers(gold, predicted, certainties, unseen=unseen)

    def evaluate(self, answers: EntityAnswers) -> Evaluation:
        """Judge entities (strict IOB2: type and both borders) of all sentences at once."""
        figures = self.judgement.figures(answers, self.judged_names)
        return Evaluation(figures, self.judgement.classes(answers, self.judged_names))

    def _names_of(self, tags: NDArray[np.int64]) -> list[str]:
        return [self.label_names[tag] for tag in tags]


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
