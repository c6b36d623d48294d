"""The hyperparameters of token classification, where they are its own."""

from typing import Literal

from bert_training.tasks.hyperparameters.evaluation_settings import best_metric
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.spec import FINAL
from bert_training.tasks.token_classification.metrics import METRICS


class TokenClassificationSettings(Hyperparameters):
    """Settings of one run that learns to find entities."""

    best_metric: Literal["f1", "precision", "recall", "accuracy", "loss"] = best_metric(
        "f1", {metric.name: metric.label for metric in METRICS if metric.chart != FINAL}
    )
