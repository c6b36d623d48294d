"""The sources that answered the same rows, judged side by side with their intervals and what one gains over another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.shapes import Figures
from bert_training.data.predictions import Predictions
from bert_training.data.proof.gain import gain_over
from bert_training.data.proof.intervals import Intervals, bounded, centred
from bert_training.data.proof.resampling import Rates, resampled_rates
from bert_training.data.proof.shape import Figure, Gain
from bert_training.data.proof.units import UnitCounts, count_by_unit, number_units


@dataclass(frozen=True)
class Judged:
    """One source on test. rates: its figures in each replicate."""

    predictions: Predictions
    figures: Figures
    counts: UnitCounts
    rates: Rates
    intervals: Intervals

    def with_intervals(self) -> dict[str, Figure]:
        """Return every figure with its interval."""
        return {name: bounded(value, self.intervals.of(name, value)) for name, value in self.figures.items()}

    def gain(self, other: "Judged", metric: str) -> Gain:
        """Return by how much this one is better than the other, whose replicates drew the same rows."""
        over, mine, theirs = other.predictions.source.value, self.figures.get(metric), other.figures.get(metric)
        if mine is None or theirs is None or metric not in self.rates:
            return gain_over(over, None, None)
        value = mine - theirs
        return gain_over(over, value, centred(value, self.rates[metric] - other.rates[metric]))


def judge(sources: Sequence[Predictions], *, judgement: Judgement[Any], names: list[str], seed: int) -> list[Judged]:
    """Judge sources that answered the same rows in the same order."""
    if not sources:
        return []
    units = number_units(sources[0].units)
    counts = [count_by_unit(judgement.tally(source.answers, names), units) for source in sources]
    rates = resampled_rates(counts, judgement.rates, seed=seed)
    figures = [judgement.figures(source.answers, names) for source in sources]
    return [
        Judged(source, found, counted, drawn, Intervals(counted, drawn))
        for source, found, counted, drawn in zip(sources, figures, counts, rates, strict=True)
    ]
