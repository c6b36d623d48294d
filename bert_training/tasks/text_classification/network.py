"""The network that gives a text one of K labels: BERT-type encoder with a classification head."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import LabelAnswers
from bert_training.ml.job import TrainingSettings
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.network.loss import cross_entropy_sum, weight_sum
from bert_training.ml.network.pretrained import load_model, load_tokenizer, tokenize_whole
from bert_training.ml.network.probabilities import softmax
from bert_training.ml.task_network import Batch, Encoded, Evaluation, Example, Logits
from bert_training.tasks.text_classification.baseline import build_baselines

__all__ = ["TextClassificationNetwork", "build_baselines", "build_network"]


class TextClassificationNetwork:
    """One label a text. A prediction is the logits of the K labels."""

    pipeline_tag = "text-classification"
    label_per_token = False
    example_class = Example
    judgement: Judgement[Any] = LABELS

    def __init__(self, base_model: BaseModelFiles, label_names: list[str], settings: TrainingSettings) -> None:
        self.label_names = self.judged_names = label_names
        self.label_smoothing = settings.label_smoothing_factor
        self.tokenizer = load_tokenizer(base_model, settings)
        self.model = load_model(AutoModelForSequenceClassification, base_model, label_names, dropout=settings.dropout)

    def count_labels(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """Count each label. Returns (K,)."""
        return np.bincount(self._label_ids(table), minlength=len(self.label_names))

    def encode(self, table: pd.DataFrame) -> Encoded[Example]:
        """Encode columns `text` and `label`."""
        encodings = tokenize_whole(self.tokenizer, table["text"].tolist())
        labels = self._label_ids(table)
        return Encoded(
            [
                Example(np.array(encoding.ids, dtype=np.int32), labels[row : row + 1])
                for row, encoding in enumerate(encodings)
            ]
        )

    def _label_ids(self, table: pd.DataFrame) -> NDArray[np.int64]:
        ids = {name: index for index, name in enumerate(self.label_names)}
        return np.array([ids[name] for name in table["label"]], dtype=np.int64)

    def label_weight(self, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the weights of labels (B,)."""
        return weight_sum(batch, class_weights)

    def loss(self, logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the weighted cross-entropies of logits (B, K) against labels (B,)."""
        return cross_entropy_sum(logits, batch, class_weights, label_smoothing=self.label_smoothing)

    def predict(self, logits: Sequence[torch.Tensor], examples: Sequence[Example]) -> list[Logits]:
        """Answer with the logits (K,) of each text."""
        return [row.numpy() for row in logits]

    def gold_ids(self, examples: Sequence[Example]) -> NDArray[np.int64]:
        """Return the right label of each text: (N,)."""
        return np.array([example.labels[0] for example in examples], dtype=np.int64)

    def answers(self, predictions: Sequence[Logits], examples: Sequence[Example]) -> LabelAnswers:
        """Turn logits (K,) of each text into labels and probabilities; of equals the first label."""
        logits = np.array(predictions, dtype=np.float64).reshape(len(examples), len(self.label_names))
        return LabelAnswers(
            gold=self.gold_ids(examples),
            predicted=logits.argmax(axis=1),
            probabilities=softmax(logits).astype(np.float16),
        )

    def evaluate(self, answers: LabelAnswers) -> Evaluation:
        """Judge the labels of all texts at once."""
        figures = self.judgement.figures(answers, self.judged_names)
        return Evaluation(figures, self.judgement.classes(answers, self.judged_names))


def build_network(
    base_model: BaseModelFiles, *, label_names: list[str], settings: TrainingSettings
) -> TextClassificationNetwork:
    """Load the base model with a fresh head of len(label_names) labels; index = label id."""
    return TextClassificationNetwork(base_model, label_names, settings)
