"""The sources that answered the same rows, judged side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.shapes import Figures
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.proof.intervals import Intervals, bounded
from bert_training.data.proof.resampling import REPLICATES, resampled_rates
from bert_training.data.proof.row_figures import row_figures
from bert_training.data.proof.shape import Figure
from bert_training.data.proof.units import UnitCounts, count_by_unit, number_units


@dataclass(frozen=True)
class Judged:
    """One source on test."""

    predictions: Predictions
    figures: Figures
    counts: UnitCounts
    intervals: Intervals

    def with_intervals(self) -> dict[str, Figure]:
        """Return every figure with its interval."""
        return {name: bounded(value, self.intervals.of(name, value)) for name, value in self.figures.items()}


def judge(
    sources: Sequence[Predictions],
    *,
    judgement: Judgement[Any],
    names: list[str],
    seed: int,
    replicates: int = REPLICATES,
) -> list[Judged]:
    """Judge sources that answered the same rows in the same order."""
    if not sources:
        return []
    units = number_units(sources[0].units)
    counts = [count_by_unit(judgement.tally(source.answers, names), units) for source in sources]
    rates = resampled_rates(counts, judgement.rates, seed=seed, replicates=replicates)
    figures = [judgement.figures(source.answers, names) for source in sources]
    return [
        Judged(source, found, counted, Intervals(counted, drawn, row_figures(source.answers, units)))
        for source, found, counted, drawn in zip(sources, figures, counts, rates, strict=True)
    ]
