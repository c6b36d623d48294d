"""Figures of a classifier that gives a text one label, with numpy alone: the portal has no scikit-learn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.shapes import ClassFigures, Figures, FloatArray, IntArray, class_row


def classification_figures(gold: IntArray, probabilities: FloatArray) -> Figures:
    """Judge a single-label classifier.

    gold: label ids, shape (N,).  probabilities: shape (N, K); the largest wins, the first among equals.
    Macro figures are means over the classes that have examples; all figures are None when N is 0.
    """
    names = ("accuracy", "f1_macro", "f1_micro", "f1_weighted", "precision_macro", "recall_macro", "auc_roc")
    if not len(gold):
        return dict.fromkeys(names)
    counts = confusion_matrix(gold, probabilities.argmax(axis=1), probabilities.shape[1])
    precision, recall, f1 = _rates(counts)
    support = counts.sum(axis=1)
    present = support > 0
    accuracy = float(np.trace(counts) / counts.sum())
    return {
        "accuracy": accuracy,
        "f1_macro": float(f1[present].mean()),
        "f1_micro": accuracy,  # one label a text: every error is one false positive and one false negative
        "f1_weighted": float((f1 * support).sum() / support.sum()),
        "precision_macro": float(precision[present].mean()),
        "recall_macro": float(recall[present].mean()),
        "auc_roc": auc_roc_macro(gold, probabilities),
    }


def class_figures(gold: IntArray, predicted: IntArray, names: Sequence[str]) -> list[ClassFigures]:
    """Judge each class on its own; a class that was never predicted has precision 0, as in scikit-learn."""
    counts = confusion_matrix(gold, predicted, len(names))
    support = counts.sum(axis=1)
    rates = zip(names, *_rates(counts), support, strict=True)
    return [class_row(name, float(p), float(r), float(f), int(n)) for name, p, r, f, n in rates]


def confusion_matrix(gold: IntArray, predicted: IntArray, class_count: int) -> NDArray[np.int64]:
    """Count pairs; row = gold, column = predicted, shape (K, K)."""
    pairs = np.asarray(gold, dtype=np.int64) * class_count + np.asarray(predicted, dtype=np.int64)
    return np.bincount(pairs, minlength=class_count * class_count).reshape(class_count, class_count)


def auc_roc_macro(gold: IntArray, probabilities: FloatArray) -> float | None:
    """Mean over the classes present of the area under the ROC curve of each against the rest.

    None when fewer than two classes are present or a probability is not a number.
    """
    present = np.unique(gold)
    if len(present) < 2 or not np.isfinite(probabilities).all():
        return None
    return float(np.mean([_auc_roc(gold == label, probabilities[:, label]) for label in present]))


def _auc_roc(positive: NDArray[np.bool_], scores: FloatArray) -> float:
    """Share of (positive, negative) pairs in the right order; an equal pair counts half (Mann-Whitney)."""
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(sizes)
    ranks = (last_rank - (sizes - 1) / 2)[group]  # tied scores share the mean of their ranks
    positives = int(positive.sum())
    negatives = len(positive) - positives
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _rates(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and F1 of each class; 0 where nothing was predicted or nothing exists."""
    hits = np.diag(counts).astype(np.float64)
    predicted, support = counts.sum(axis=0), counts.sum(axis=1)
    return _share(hits, predicted), _share(hits, support), _share(2 * hits, predicted + support)


def _share(part: NDArray[np.float64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
