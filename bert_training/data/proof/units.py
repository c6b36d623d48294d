"""Counts of right answers, answers and examples by unit: rows of one unit count as one when chance is judged.

A unit is what could have come into the test split or not as a whole: near-duplicates, rows of a group; a sentence.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.judgement import Tally

Floats = NDArray[np.float64]
HITS, FOUND, EXIST = 0, 1, 2
KINDS = 3


@dataclass(frozen=True)
class UnitCounts:
    """What is not zero, in the order of classes, then units.

    Cell c says that unit units[c] has counts[:, c] hits, answers and examples of class classes[c]; counts: (3, C).
    """

    unit_count: int
    class_count: int
    units: NDArray[np.int64]
    classes: NDArray[np.int64]
    counts: NDArray[np.float32]  # sums of whole numbers below 2**24, so exact in any order

    def totals(self) -> Floats:
        """Add up all units. Returns (3, K)."""
        return np.stack([np.bincount(self.classes, kind, self.class_count) for kind in self.counts])

    @cached_property
    def has_examples(self) -> NDArray[np.bool_]:
        """Tell which classes have examples. (K,)."""
        has_any: NDArray[np.bool_] = self.totals()[EXIST] > 0
        return has_any

    def without_classes(self) -> "UnitCounts":
        """Count all classes as one."""
        sums = np.stack([np.bincount(self.units, kind, self.unit_count) for kind in self.counts])
        every = np.arange(self.unit_count)
        return UnitCounts(self.unit_count, 1, every, np.zeros_like(every), sums.astype(np.float32))


def number_units(units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the units of rows 0, 1, 2 ... in the order of their names, whatever the order of the rows. (N,)."""
    return np.unique(units, return_inverse=True)[1].reshape(-1).astype(np.int64)


def count_by_unit(tally: Tally, units: NDArray[np.int64]) -> UnitCounts:
    """Add up a tally's rows by unit. units: (N,), N > 0, as `number_units` gives them."""
    unit_count = int(units.max()) + 1
    cells, cell_of_entry = np.unique(tally.classes * unit_count + units[tally.rows], return_inverse=True)
    places = tally.kinds * len(cells) + cell_of_entry.reshape(-1)
    counts = np.bincount(places, tally.amounts, minlength=KINDS * len(cells)).reshape(KINDS, len(cells))
    return UnitCounts(unit_count, tally.class_count, cells % unit_count, cells // unit_count, counts.astype(np.float32))
