"""Fits probabilities to what is true: a temperature, and with class weights a bias a class (Guo et al. 2017).

Softmax of logits / temperature + biases, by log-loss on the validation split. A temperature changes no answer; biases
give back what class weights took from frequent classes, and may.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, isfinite
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from bert_training.ml.task_network import Logits

LEAST_ROWS = 30  # below this a temperature follows single rows
# Of logits that are looked at: rows x classes, evenly spaced rows of more. 6 s of one core for
# 4,000 rows of 1,000 classes with biases, 1.3 s for 300,000 words of 13 tags.
MOST_VALUES = 4_000_000
MOST_ROUNDS = 200  # of L-BFGS; some 20 are needed


@dataclass(frozen=True)
class Calibration:
    """What logits become: divided by a temperature, plus biases (one a class, or none).

    rows: rows or words that it was fitted on.  loss_before, loss_after: their mean log-loss.
    """

    temperature: float
    biases: tuple[float, ...]
    rows: int
    loss_before: float
    loss_after: float

    def apply(self, logits: Logits) -> Logits:
        """Return what the folded network answers instead of logits (..., K)."""
        calibrated = logits.astype(np.float64) / self.temperature
        return (calibrated + np.array(self.biases) if self.biases else calibrated).astype(np.float32)

    def facts(self) -> dict[str, Any]:
        """Return the fields of contract.messages.Calibration as JSON values."""
        return {**asdict(self), "biases": list(self.biases)}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """Undo `facts`."""
        return cls(**{**facts, "biases": tuple(facts["biases"])})


def fit_calibration(predictions: Sequence[Logits], gold: NDArray[np.int64], *, with_biases: bool) -> Calibration | None:
    """Fit to the logits of each row, (K,) or (W, K), and the label ids of all rows or words, one after the other.

    None with fewer than LEAST_ROWS rows, or where nothing gets better. Deterministic for a number of threads.
    """
    if len(predictions) < LEAST_ROWS:
        return None
    stacked = np.concatenate([np.atleast_2d(row) for row in predictions])
    judged = np.flatnonzero(np.isfinite(stacked).all(axis=1))
    if not len(judged):
        return None
    most = max(LEAST_ROWS, MOST_VALUES // stacked.shape[1])
    judged = judged[np.linspace(0, len(judged) - 1, min(most, len(judged)), dtype=np.int64)]
    logits = torch.from_numpy(stacked[judged].astype(np.float64))
    labels = torch.from_numpy(gold[judged])
    found = _minimise(logits, labels, with_biases=with_biases)
    temperature, biases = exp(-float(found[0])), found[1:]
    before = float(cross_entropy(logits, labels))
    after = float(cross_entropy(logits / temperature + biases if with_biases else logits / temperature, labels))
    if not (isfinite(after) and after < before):
        return None
    return Calibration(temperature, tuple(biases.tolist()), len(judged), before, after)


def _minimise(logits: torch.Tensor, labels: torch.Tensor, *, with_biases: bool) -> torch.Tensor:
    """Return the negative logarithm of the temperature, then the biases.

    Each is drawn to 0 as if by a standard normal prior: next to nothing against a hundred rows, but it keeps the bias
    of a class that validation hardly has, and the temperature of rows that are all right, from running away.
    """
    parameters = torch.zeros(1 + (logits.shape[1] if with_biases else 0), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [parameters], max_iter=MOST_ROUNDS, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scaled = logits * parameters[0].exp()
        log_loss = cross_entropy(scaled + parameters[1:] if with_biases else scaled, labels)
        total = log_loss + parameters.square().sum() / (2 * len(labels))
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    return parameters.detach()
