"""Whether stated probabilities mean what they say: the share of right answers among those of about one probability.

Answers of one and the same probability count alike wherever a bin ends among them, so that no order changes a figure.
"""

import numpy as np
from numpy.typing import NDArray

from bert_training.data.proof.shape import Bin

BINS = 15


def expected_calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS
) -> float | None:
    """Mean distance of stated and real shares over bins of equal mass. Both (N,); None without answers."""
    if not len(confidence):
        return None
    _, stated, real = _binned(confidence, right, bins)
    return float(np.abs(stated - real).mean())


def reliability_bins(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> list[Bin]:
    """Return at most `bins` bins of equal mass, from the least sure to the surest."""
    if not len(confidence):
        return []
    edges, stated, real = _binned(confidence, right, min(bins, len(confidence)))
    rows = np.diff(np.rint(edges).astype(int))
    triples = zip(stated.tolist(), real.tolist(), rows.tolist(), strict=True)
    return [{"confidence": confidence, "accuracy": accuracy, "rows": count} for confidence, accuracy, count in triples]


def _binned(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges (bins + 1,) in rows, and the mean confidence and share of right answers of each bin."""
    values, group, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    # A bin may end inside a row: cut so, all have exactly the same mass whatever the number of rows.
    edges = np.linspace(0.0, len(confidence), bins + 1)
    reached = np.concatenate([[0], np.cumsum(counts)])

    def means(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        cumulated = np.concatenate([[0.0], np.cumsum(sums)])
        at_edges: NDArray[np.float64] = np.interp(edges, reached, cumulated)
        return np.diff(at_edges) / np.diff(edges)

    return (
        edges,
        means(values * counts),
        means(np.bincount(group, weights=right, minlength=len(values)).astype(np.float64)),
    )


def undo(
    probabilities: NDArray[np.float16], temperature: float, biases: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the probabilities before logits became logits / temperature + biases. (N, K) or (K,) in and out.

    A probability that float16 rounded to 0 stays 0: the class was out of the question before as well.
    """
    with np.errstate(divide="ignore"):
        logits = np.log(probabilities.astype(np.float64))
    if biases is not None and len(biases):
        logits -= biases
    logits *= temperature
    logits -= logits.max(axis=-1, keepdims=True)
    before = np.exp(logits, out=logits)
    before /= before.sum(axis=-1, keepdims=True)
    return before
