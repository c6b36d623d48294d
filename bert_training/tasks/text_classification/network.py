"""The network that gives a text one of K labels: BERT-type encoder with a classification head."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from bert_training.data.figures import class_figures, classification_figures
from bert_training.ml.base_model import BaseModelFiles
from bert_training.ml.batching import collate, cut_into, uncut_length
from bert_training.ml.job import TrainingSettings
from bert_training.ml.loss import cross_entropy_sum, weight_sum
from bert_training.ml.pretrained import load_model, load_tokenizer
from bert_training.ml.task_network import Batch, Encoded, Evaluation, Example

ROWS_PER_CALL = 1000  # texts handed to the tokenizer at once: some 50 ms between two signs of life


class TextClassificationNetwork:
    """One label a text. A prediction is the probabilities of the K labels."""

    pipeline_tag = "text-classification"

    def __init__(self, base_model: BaseModelFiles, label_names: list[str], settings: TrainingSettings) -> None:
        self.label_names = label_names
        self.tokenizer = load_tokenizer(base_model, settings)
        self.model = load_model(AutoModelForSequenceClassification, base_model, label_names)

    def encode(self, table: pd.DataFrame, on_rows: Callable[[int], None]) -> Encoded[Example]:
        """Encode columns `text` and `label`; a long text is cut at the tokenizer's side and length."""
        label_ids = {name: index for index, name in enumerate(self.label_names)}
        labels = [label_ids[name] for name in table["label"]]
        examples: list[Example] = []
        lengths: list[int] = []
        for texts in cut_into(table["text"].tolist(), ROWS_PER_CALL):
            encodings = self.tokenizer(texts, truncation=True, return_attention_mask=False).encodings or []
            for encoding in encodings:
                lengths.append(uncut_length(encoding))
                label = np.array([labels[len(examples)]], dtype=np.int64)
                examples.append(Example(np.array(encoding.ids, dtype=np.int32), label))
            on_rows(len(examples))
        return Encoded(examples, lengths)

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Put texts into one batch; labels (B,)."""
        return collate(examples, pad_token_id=self.tokenizer.pad_token_id, label_per_token=False)

    def label_weight(self, labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the class weights of labels (B,)."""
        return weight_sum(labels, class_weights)

    def loss(self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the weighted cross-entropies of logits (B, K) against labels (B,)."""
        return cross_entropy_sum(logits, labels, class_weights)

    def predict(self, logits: Sequence[torch.Tensor], examples: Sequence[Example]) -> list[NDArray[Any]]:
        """Turn the logits (K,) of each text into probabilities (K,)."""
        return list(torch.stack(list(logits)).softmax(dim=1).numpy())

    def evaluate(self, predictions: Sequence[NDArray[Any]], examples: Sequence[Example]) -> Evaluation:
        """Judge probabilities (K,) of each text, all texts at once."""
        gold = np.array([example.labels[0] for example in examples], dtype=np.int64)
        probabilities = np.array(predictions, dtype=np.float64).reshape(len(examples), len(self.label_names))
        classes = class_figures(gold, probabilities.argmax(axis=1), self.label_names)
        return Evaluation(classification_figures(gold, probabilities), classes)


def build_network(
    base_model: BaseModelFiles, *, label_names: list[str], settings: TrainingSettings
) -> TextClassificationNetwork:
    """Load the base model with a fresh head of len(label_names) labels; index = label id."""
    return TextClassificationNetwork(base_model, label_names, settings)
