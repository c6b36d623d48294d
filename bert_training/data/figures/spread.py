"""How far a figure spreads over repeats of a run. Not an interval: repeats share rows, so their figures are not
independent, and nothing is said of where other rows would lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean, stdev


@dataclass(frozen=True)
class Spread:
    """Of `runs` figures: their mean, standard deviation (of a sample, n - 1), lowest and highest."""

    mean: float
    standard_deviation: float
    lowest: float
    highest: float
    runs: int


def spread_of(values: Sequence[float | None]) -> Spread | None:
    """Return the spread of the figures that are defined; None of fewer than two."""
    known = [value for value in values if value is not None and isfinite(value)]
    if len(known) < 2:
        return None
    return Spread(fmean(known), stdev(known), min(known), max(known), len(known))
