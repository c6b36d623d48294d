"""Figures of a classifier that gives a text one label, with numpy alone: the portal has no scikit-learn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.agreement import cohen_kappa, matthews
from bert_training.data.figures.curves import CURVED_CLASSES, Curve, precision_recall_curve, roc_curve
from bert_training.data.figures.judgement import Tally
from bert_training.data.figures.rates import (
    Rates,
    class_rows,
    macro_rates,
    micro_rates,
    share,
    sparse_counts,
    weighted_rates,
)
from bert_training.data.figures.scores import class_steps, is_stated, log_losses, top_hits
from bert_training.data.figures.shapes import ClassFigures, Figures, defined
from bert_training.data.predicting.predictions import LabelAnswers

TOPS = (3, 5)
# In the order of a line of figures: what is followed while a run trains, then the rest.
FIRST = ("accuracy", "f1_macro", "f1_micro", "f1_weighted", "precision_macro", "recall_macro", "auc_roc")


class LabelJudgement:
    """Judges one label a text; see `Judgement`.

    Means over classes are over those that have examples. Figures that need probabilities are left out when there are
    none, and top_k when there are no more than k classes; all figures are None without rows.
    """

    def figures(self, answers: LabelAnswers, names: list[str]) -> Figures:
        """Return every figure but the loss."""
        rates = self.rates(self.tally(answers, names).totals())
        found = {name: defined(rate[0]) for name, rate in rates.items()} | _score_figures(answers)
        return {name: found[name] for name in FIRST if name in found} | found

    def classes(self, answers: LabelAnswers, names: list[str]) -> list[ClassFigures]:
        """Return the figures of each class."""
        return class_rows(self.tally(answers, names), names)

    def tally(self, answers: LabelAnswers, names: list[str]) -> Tally:
        """Count each row: its answer, its class, and a hit where they are the same."""
        _check(answers, names)
        rows = np.arange(len(answers))
        is_hit = answers.gold == answers.predicted
        kinds = np.repeat([0, 1, 2], [int(is_hit.sum()), len(rows), len(rows)])
        return Tally(
            row_count=len(rows),
            class_count=len(names),
            rows=np.concatenate([rows[is_hit], rows, rows]),
            classes=np.concatenate([answers.gold[is_hit], answers.predicted, answers.gold]),
            kinds=kinds,
            amounts=np.ones(len(kinds), dtype=np.int64),
        )

    def rates(self, totals: NDArray[np.float64]) -> Rates:
        """Return accuracy, means of precision, recall and F1, and agreement beyond chance."""
        means = {"macro": macro_rates(totals), "micro": micro_rates(totals), "weighted": weighted_rates(totals)}
        return {
            "accuracy": share(totals[:, 0].sum(axis=1), totals[:, 2].sum(axis=1), undefined=np.nan),
            **{f"{name}_{mean}": rate for mean, rates in means.items() for name, rate in rates.items()},
            "mcc": matthews(totals),
            "kappa": cohen_kappa(totals),
        }

    def confidences(self, answers: LabelAnswers) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the probability of each answer and whether it is right; nothing when none was stated."""
        if not answers.probabilities.shape[1]:
            return np.zeros(0), np.zeros(0, dtype=np.bool_)
        stated = answers.probabilities[np.arange(len(answers)), answers.predicted]
        return stated.astype(np.float64), answers.gold == answers.predicted

    def details(self, answers: LabelAnswers, names: list[str]) -> dict[str, Any]:
        """Return confusion and curves. Of two classes each has its curves: neither is the positive one."""
        _check(answers, names)
        confusion = sparse_counts(answers.gold, answers.predicted, len(names))
        return {"confusion": confusion, "curves": _curves(answers, names)}


LABELS = LabelJudgement()


def _check(answers: LabelAnswers, names: Sequence[str]) -> None:
    """Refuse ids that are no class: their counts would land in another's place."""
    for ids in (answers.gold, answers.predicted):
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(names):
            raise ValueError(f"Label ids go from {ids.min()} to {ids.max()}, but there are {len(names)} classes.")
    if answers.probabilities.shape[1] not in (0, len(names)):
        raise ValueError(f"{answers.probabilities.shape[1]} probabilities a row, but there are {len(names)} classes.")


def _score_figures(answers: LabelAnswers) -> Figures:
    """Judge the probabilities; None when they are no numbers, and areas also when fewer than two classes exist."""
    classes = answers.probabilities.shape[1]
    tops = [size for size in TOPS if size < classes]
    names = ["auc_roc", "auc_pr", "log_loss", *(f"top_{size}" for size in tops)] if classes else []
    if not is_stated(answers.probabilities):
        return dict.fromkeys(names)
    areas = [(steps.auc_roc, steps.average_precision) for _, steps in class_steps(answers.gold, answers.probabilities)]
    auc_roc, auc_pr = np.mean(areas, axis=0).tolist() if areas else (None, None)
    hits = top_hits(answers.gold, answers.probabilities, tops)
    return {
        "auc_roc": auc_roc,
        "auc_pr": auc_pr,
        "log_loss": float(log_losses(answers.gold, answers.probabilities).mean()),
        **{f"top_{size}": float(hit.mean()) for size, hit in hits.items()},
    }


def _curves(answers: LabelAnswers, names: Sequence[str]) -> dict[str, dict[str, Curve]]:
    """Draw the curves of each class that has examples, unless there are too many classes to look at."""
    if len(names) > CURVED_CLASSES or not is_stated(answers.probabilities):
        return {}
    steps = {names[label]: found for label, found in class_steps(answers.gold, answers.probabilities)}
    return {
        "roc": {name: roc_curve(found) for name, found in steps.items()},
        "pr": {name: precision_recall_curve(found) for name, found in steps.items()},
    }
