"""The shapes in which figures travel.

Every figure is counted over all predictions of a split, never averaged over batches. None = not defined: the class has
no example there. Golden tests hold the figures against scikit-learn and seqeval (IOB2, strict).
"""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

Figures = dict[str, float | None]
IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.floating[Any]]
Entity = tuple[str, int, int]  # type, first word, last word + 1
ScoredEntity = tuple[str, int, int, float]  # and its probability


class ClassFigures(TypedDict):
    """Figures of one class or entity type; `support` counts its examples."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


def class_row(name: str, precision: float, recall: float, f1: float, support: int) -> ClassFigures:
    """Put together the figures of a class; without examples there are none."""
    if not support:
        return {"name": name, "precision": None, "recall": None, "f1": None, "support": 0}
    return {"name": name, "precision": precision, "recall": recall, "f1": f1, "support": support}


def defined(value: float) -> float | None:
    """Return a figure as a plain number; NaN = not defined."""
    return None if np.isnan(value) else float(value)
