"""The hyperparameters of text classification, where they are its own."""

from typing import Literal

from bert_training.tasks.hyperparameters.evaluation_settings import best_metric
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.spec import FINAL
from bert_training.tasks.text_classification.metrics import METRICS


class TextClassificationSettings(Hyperparameters):
    """Settings of one run that learns to classify texts."""

    best_metric: Literal[
        "f1_macro", "accuracy", "f1_micro", "f1_weighted", "precision_macro", "recall_macro", "auc_roc", "loss"
    ] = best_metric("f1_macro", {metric.name: metric.label for metric in METRICS if metric.chart != FINAL})
