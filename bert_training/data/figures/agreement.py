"""Agreement beyond chance, from counts of right answers, answers and examples of each class. totals: see rates."""

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.rates import share


def matthews(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matthews' correlation coefficient (R,): 0 when only one class was ever answered, NaN when only one exists."""
    right, rows, found, exist = _sums(totals)
    spread_found = rows**2 - (found**2).sum(axis=1)
    spread_exist = rows**2 - (exist**2).sum(axis=1)
    covariance = right * rows - (found * exist).sum(axis=1)
    value = share(covariance, np.sqrt(spread_found * spread_exist))
    return np.where(spread_exist > 0, value, np.nan)


def cohen_kappa(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cohen's kappa (R,): agreement beyond that of two who answer by lot; NaN when lot alone agrees always."""
    right, rows, found, exist = _sums(totals)
    by_lot = (found * exist).sum(axis=1)
    return share(right * rows - by_lot, rows**2 - by_lot, undefined=np.nan)


def _sums(totals: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    hits, found, exist = totals[:, 0], totals[:, 1], totals[:, 2]
    return hits.sum(axis=1), exist.sum(axis=1), found, exist
