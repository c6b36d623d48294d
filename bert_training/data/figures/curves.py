"""ROC and precision-recall curves of each class against the rest, small enough for a page."""

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.scores import Steps

CURVE_POINTS = 200
CURVED_CLASSES = 20
DIGITS = 5  # a curve of 1,000 pixels needs 3

Curve = list[list[float]]


def roc_curve(steps: Steps) -> Curve:
    """Return [share of the rest, share of the class] at each probability, from (0, 0) to (1, 1)."""
    x, y = steps.false / steps.false[-1], steps.true / steps.true[-1]
    return _thinned(np.concatenate([[0.0], x]), np.concatenate([[0.0], y]))


def precision_recall_curve(steps: Steps) -> Curve:
    """Return [recall, precision] at each probability, from (0, 1)."""
    recall, precision = steps.true / steps.true[-1], steps.true / (steps.true + steps.false)
    return _thinned(np.concatenate([[0.0], recall]), np.concatenate([[1.0], precision]))


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """Leave out points on a straight line, then keep the ends and points evenly along the curve; none is made up."""
    points = np.stack([x, y], axis=1)
    points = points[_is_corner(points)]
    if len(points) > CURVE_POINTS:
        length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(points, axis=0)).sum(axis=1))])
        marks = np.linspace(0.0, length[-1], CURVE_POINTS)
        points = points[np.unique(np.searchsorted(length, marks).clip(max=len(points) - 1))]
    curve: Curve = points.round(DIGITS).tolist()
    return curve


def _is_corner(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points are an end, or do not lie on the line from the one before to the one after."""
    into, out = np.diff(points, axis=0)[:-1], np.diff(points, axis=0)[1:]
    turn = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
    return np.concatenate([[True], np.abs(turn) > 1e-12, [True]])
