"""Describes a column for people: how often each label occurs, how long the texts are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

HISTOGRAM_BARS = 12
NAMES = 1000
TEXTS_PER_BLOCK = 1000

_BETWEEN_TEXTS = "\x1f"  # a control character: no cleaned text holds one


def count_words(texts: Sequence[str]) -> list[int]:
    """Return how many words each text has; words are apart by spaces, tabs and line breaks.

    Counts in blocks of bytes where a word begins: a quarter of what splitting each text costs.
    """
    counts: list[int] = []
    for start in range(0, len(texts), TEXTS_PER_BLOCK):
        block = texts[start : start + TEXTS_PER_BLOCK]
        letters = np.frombuffer((_BETWEEN_TEXTS + _BETWEEN_TEXTS.join(block)).encode("utf-8", "replace"), np.uint8)
        firsts = np.flatnonzero(letters == ord(_BETWEEN_TEXTS))
        is_letter = letters > ord(" ")
        begins = is_letter[1:] & ~is_letter[:-1]
        if len(firsts) == len(block):
            counts += np.add.reduceat(np.append(begins, False), firsts, dtype=np.int64).tolist()
        else:
            counts += [len(text.split()) for text in block]
    return counts


def count_labels(labels: Iterable[str]) -> dict[str, int]:
    """Count each name, the most frequent first and equal ones by name, so that every machine lists them alike."""
    counts = Counter(labels)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:NAMES])


def describe_lengths(lengths: Sequence[int]) -> dict[str, Any]:
    """Return min, mean, median, p95, max and a histogram of lengths in words.

    histogram: {"edges": n+1 rising numbers, "counts": n}; a bar holds edges[i] <= length < edges[i+1]. The bars are of
    one width up to p95, the last one holds everything above, so that one very long text does not flatten the rest.
    """
    if not lengths:
        return {"unit": "words", "rows": 0}
    ordered = sorted(lengths)
    return {
        "unit": "words",
        "rows": len(ordered),
        "min": ordered[0],
        "mean": round(sum(ordered) / len(ordered), 1),
        "median": _quantile(ordered, 0.5),
        "p95": _quantile(ordered, 0.95),
        "max": ordered[-1],
        "histogram": _histogram(ordered),
    }


def _quantile(ordered: Sequence[int], share: float) -> int:
    """Return the smallest length that this share of the rows does not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * round(share * 100) // 100) - 1))]


def _histogram(ordered: Sequence[int]) -> dict[str, list[int]]:
    low, usual, high = ordered[0], _quantile(ordered, 0.95), ordered[-1]
    width = max(1, -(-(usual + 1 - low) // HISTOGRAM_BARS))
    bars = (usual - low) // width + 1
    edges = [low + bar * width for bar in range(bars + 1)]
    counts = Counter(min((length - low) // width, bars) for length in ordered)
    if high >= edges[-1]:
        edges.append(high + 1)
    return {"edges": edges, "counts": [counts[bar] for bar in range(len(edges) - 1)]}
