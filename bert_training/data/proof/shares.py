"""95 % intervals of shares by Wilson, which holds also where few or none were wrong.

Rows of one unit are alike, so that they say less than as many units would: a share counts as that of fewer rows, by
the design effect (variance between units over that of single rows).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_training.data.proof.units import Floats

Z = 1.959963984540054  # 97.5 % of the normal distribution lies below

Interval = tuple[float, float]


class Bounds(NamedTuple):
    """Shares and their intervals, each (G,). Of nothing the share is 0 and all is possible."""

    value: Floats
    low: Floats
    high: Floats

    def interval(self, index: int) -> Interval:
        """Return one of the intervals."""
        return float(self.low[index]), float(self.high[index])

    def reach(self, weights: NDArray[Any]) -> tuple[float, float]:
        """Return how far below and above itself the weighted mean of independent shares may lie. weights: (G,).

        The distances to the bounds add up as standard deviations do: MOVER (Zou, Huang and Zhang 2009).
        """
        parts = weights / weights.sum()
        below, above = parts * (self.value - self.low), parts * (self.high - self.value)
        return float(np.sqrt((below**2).sum())), float(np.sqrt((above**2).sum()))


def share_bounds(part: Floats, whole: Floats, groups: NDArray[np.int64], group_count: int) -> Bounds:
    """Bound the share sum(part) / sum(whole) of each group.

    part, whole: (C,) of each unit in each group.  groups: (C,).
    """
    rows = np.bincount(groups, whole, group_count)
    shares = np.bincount(groups, part, group_count) / np.maximum(rows, 1)
    return wilson(shares, effective_sizes(part, whole, groups, shares))


def wilson(shares: Floats, sizes: Floats) -> Bounds:
    """Bound shares of so many rows each, both (G,)."""
    scale = sizes + Z * Z
    centre = (shares * sizes + Z * Z / 2) / scale
    reach = Z * np.sqrt(shares * (1 - shares) * sizes + Z * Z / 4) / scale
    return Bounds(shares, np.clip(centre - reach, 0.0, 1.0), np.clip(centre + reach, 0.0, 1.0))


def effective_sizes(part: Floats, whole: Floats, groups: NDArray[np.int64], shares: Floats) -> Floats:
    """Return how many single rows say as much as the rows of each group do, (G,). shares: (G,).

    Never more than there are. Where no row was wrong or none right, nothing shows how alike the rows of a unit are:
    then as if they were all right or all wrong together.
    """
    count = len(shares)
    rows = np.bincount(groups, whole, count)
    alike = np.bincount(groups, whole * whole, count) / np.maximum(rows, 1)
    units = np.bincount(groups, whole > 0, count)
    between = np.bincount(groups, (part - shares[groups] * whole) ** 2, count) * units * (rows - 1)
    single = rows * shares * (1 - shares) * rows * (units - 1)
    effect = np.divide(between, single, out=alike.copy(), where=single > 0)
    sizes: Floats = rows / np.maximum(effect, 1.0)
    return sizes
