"""Describes a column for people: how often each label occurs, how long the texts are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

HISTOGRAM_BARS = 12
NAMES = 1000


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
