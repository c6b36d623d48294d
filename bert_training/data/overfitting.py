"""When a network has begun to learn its training texts by heart; the one rule of worker and portal (S2.16)."""

from collections.abc import Sequence
from itertools import pairwise

Losses = tuple[float | None, float | None]  # of training, of validation

RISES = 2  # evaluations in a row; one rise alone is chance


def overfitting(losses: Sequence[Losses]) -> list[tuple[float, float]]:
    """Judge the newest evaluations: return those over which validation rose while training fell; empty = not so."""
    newest = losses[-RISES - 1 :]
    known = [
        (training, validation) for training, validation in newest if training is not None and validation is not None
    ]
    if len(known) <= RISES:
        return []
    return known if all(new[0] < old[0] and new[1] > old[1] for old, new in pairwise(known)) else []


def overfitting_anywhere(losses: Sequence[Losses]) -> list[tuple[float, float]]:
    """Judge a whole training: return the first evaluations over which it overfitted; empty = never."""
    windows = (overfitting(losses[:end]) for end in range(1, len(losses) + 1))
    return next((found for found in windows if found), [])
