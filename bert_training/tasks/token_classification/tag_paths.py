"""Finds the best row of IOB2 tags for each sentence (Viterbi), all sentences word by word at once, with numpy alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.1  # of the count of each pair of tags
PAIR_WEIGHT = 0.5  # of what the tag before tells: the classifier has seen the words around, which tell the same in part


def learn_transitions(tags: Sequence[NDArray[np.int64]], names: Sequence[str]) -> NDArray[np.float64]:
    """Learn from tag ids of sentences how much a tag gains or loses by the one before it, (K + 1, K).

    The last row is for the first word. What IOB2 forbids is -inf: an I- that goes on with nothing.
    """
    count = len(names)
    pairs = np.full((count, count), SMOOTHING)
    for row in tags:
        np.add.at(pairs, (row[:-1], row[1:]), 1)
    shares = pairs / pairs.sum(axis=1, keepdims=True)
    usual = pairs.sum(axis=0) / pairs.sum()
    gains = np.vstack([PAIR_WEIGHT * np.log(shares / usual), np.zeros(count)])
    before = np.array([name[2:] for name in [*names, ""]])
    is_inside = np.array([name.startswith("I-") for name in names])
    gains[(before[:, None] != before[None, :-1]) & is_inside] = -np.inf
    return gains


def best_paths(
    scores: NDArray[np.float64], lengths: NDArray[np.int64], gains: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the tag of each word, (T,), of the path with the largest sum of scores (T, K) and gains.

    lengths: words of each sentence.  gains: of learn_transitions.  The first among equals wins.
    """
    order = np.argsort(-lengths, kind="stable")  # the longest first, so that those still going on are the first ones
    starts = (np.cumsum(lengths) - lengths)[order]
    going_on = [int((lengths > place).sum()) for place in range(lengths.max(initial=0))]
    if not going_on:
        return np.zeros(0, dtype=np.int64)
    sums = [scores[starts[: going_on[0]]] + gains[-1]]
    origins: list[NDArray[np.int64]] = []
    for place, count in enumerate(going_on[1:], start=1):
        ways = sums[-1][:count, :, None] + gains[:-1]  # (sentences, tag before, tag)
        origins.append(ways.argmax(axis=1))
        sums.append(ways.max(axis=1) + scores[starts[:count] + place])
    return _walk_back(sums, origins, starts)


def _walk_back(
    sums: Sequence[NDArray[np.float64]], origins: Sequence[NDArray[np.int64]], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Follow the best last tag of each sentence back to its first word."""
    path = np.zeros(sum(map(len, sums)), dtype=np.int64)
    tags = np.zeros(0, dtype=np.int64)
    for place in range(len(sums) - 1, -1, -1):
        last = sums[place].argmax(axis=1)
        if len(tags):
            last[: len(tags)] = origins[place][np.arange(len(tags)), tags]
        tags = last
        path[starts[: len(tags)] + place] = tags
    return path
