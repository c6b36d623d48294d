"""Figures that are no counts of classes but means over rows, over words, or over pairs of rows.

A unit's term says how much it moves the figure, to first order: the terms add up to 0, their squares to the figure's
variance. For the area under the ROC curve this is what DeLong, DeLong and Clarke-Pearson (1988) do, by unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.labels import TOPS
from bert_training.data.figures.scores import VALUES, is_stated, log_losses, top_hits
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers
from bert_training.data.proof.shares import Bounds, Interval, Z, share_bounds
from bert_training.data.proof.units import Floats

LOWER_IS_BETTER = frozenset({"log_loss"})


@dataclass(frozen=True)
class RowFigures:
    """shares: those that Wilson bounds.  terms: of every figure, each (U,)."""

    shares: dict[str, Bounds]
    terms: dict[str, Floats]

    def of(self, name: str, value: float) -> Interval | None:
        """Bound a figure."""
        if name in self.shares:
            return self.shares[name].interval(0)
        reach = reach_of(self.terms[name]) if name in self.terms else None
        if reach is None:
            return None
        if name in LOWER_IS_BETTER:
            return max(0.0, value - reach), value + reach
        return _on_the_logit_scale(value, reach)


def reach_of(terms: Floats) -> float | None:
    """Return how far from a figure with these terms the ends of its interval are; None of a single unit."""
    count = len(terms)
    return Z * float(np.sqrt((terms**2).sum() * count / (count - 1))) if count > 1 else None


def row_figures(answers: LabelAnswers | EntityAnswers, units: NDArray[np.int64]) -> RowFigures:
    """Judge how sure these figures are. units: (N,), as `number_units` gives them."""

    def by_unit(values: Floats) -> Floats:
        return np.bincount(units, values).astype(np.float64)

    shares, terms = {}, {name: by_unit(influences) for name, influences in _influences(answers)}
    for name, part, whole in _shares(answers):
        terms[name] = by_unit(part - whole * (part.sum() / whole.sum())) / whole.sum()
        parts, wholes = by_unit(part), by_unit(whole)
        shares[name] = share_bounds(parts, wholes, np.zeros(len(parts), dtype=np.int64), 1)
    return RowFigures(shares, terms)


def _shares(answers: LabelAnswers | EntityAnswers) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield the figures that are shares: part and whole of each row."""
    if isinstance(answers, EntityAnswers):
        if answers.words.any():
            yield "accuracy", answers.right.astype(np.float64), answers.words.astype(np.float64)
    elif is_stated(answers.probabilities):
        tops = [size for size in TOPS if size < answers.probabilities.shape[1]]
        for size, hits in top_hits(answers.gold, answers.probabilities, tops).items():
            yield f"top_{size}", hits, np.ones(len(hits))


def _influences(answers: LabelAnswers | EntityAnswers) -> Iterator[tuple[str, Floats]]:
    """Yield other figures: how much each row moves them."""
    if isinstance(answers, LabelAnswers) and is_stated(answers.probabilities):
        losses = log_losses(answers.gold, answers.probabilities)
        yield "log_loss", (losses - losses.mean()) / len(losses)
        yield "auc_roc", auc_influences(answers.gold, answers.probabilities)


def auc_influences(gold: NDArray[np.int64], probabilities: NDArray[np.float16]) -> Floats:
    """Return how much each row moves the mean area under the ROC curves, (N,).

    A row of the class: its share of the rest that lies below it, an equal one counts half; a row of the rest: its
    share of the class that lies above it; each less the area.
    """
    bits, influences = probabilities.view(np.uint16), np.zeros(len(gold))
    support = np.bincount(gold, minlength=bits.shape[1])
    judged = np.flatnonzero((support > 0) & (support < len(gold)))
    for label in judged:
        column, is_class = bits[:, label], gold == label
        positive, negative = column[is_class], column[~is_class]
        above = 1.0 - _share_below(positive)[negative]
        below = _share_below(negative)[positive]
        influences[is_class] += (below - below.mean()) / len(below)
        influences[~is_class] += (above - above.mean()) / len(above)
    return influences / max(1, len(judged))


def _share_below(bits: NDArray[np.uint16]) -> Floats:
    """Return for each probability which share of these lies below it, an equal one counts half. (VALUES,)."""
    counts = np.bincount(bits, minlength=VALUES)
    shares: Floats = (np.cumsum(counts) - counts / 2) / len(bits)
    return shares


def _on_the_logit_scale(value: float, reach: float) -> Interval | None:
    """Bound a figure between 0 and 1 so that its interval stays there; None at the very ends."""
    if not 0.0 < value < 1.0:
        return None
    place, distance = np.log(value / (1 - value)), reach / (value * (1 - value))
    return _share_of_odds(place - distance), _share_of_odds(place + distance)


def _share_of_odds(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -500, 500))))
