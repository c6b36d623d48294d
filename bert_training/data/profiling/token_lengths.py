"""Counts how long texts are in tokens, so that a worker can tell it in one small message and the portal can draw it.

{"max_length": where the run cuts, "edges": n+1 rising numbers, "counts": n, "classes": {name: n counts}}; a bar holds
edges[i] <= length < edges[i+1]. Each of LIMITS, and the run's own limit, ends a bar: what it cuts is counted exactly.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bert_training.contract.limits import LENGTH_CLASSES

LIMITS = (128, 256, 512)  # tokens; what people choose as max_length
BAR_TOKENS = 32
NAME_CHARACTERS = 1000


def count_token_lengths(lengths: Sequence[int], classes: Sequence[str], *, max_length: int) -> dict[str, Any]:
    """Count the rows of each length, in all and for the most frequent classes; classes: one a row, or none at all."""
    edges = sorted({*range(1, LIMITS[-1] + 2, BAR_TOKENS), *(limit + 1 for limit in (*LIMITS, max_length))})
    edges = [0, *edges[1:], max(*lengths, edges[-1]) + 1] if lengths else [0, *edges[1:]]
    frequent = sorted(name for name, _count in Counter(classes).most_common(LENGTH_CLASSES))
    counts = {name: [0] * (len(edges) - 1) for name in frequent}
    total = [0] * (len(edges) - 1)
    for index, length in enumerate(lengths):
        bar = bisect_right(edges, length) - 1
        total[bar] += 1
        if classes and classes[index] in counts:
            counts[classes[index]][bar] += 1
    named = {name[:NAME_CHARACTERS]: bars for name, bars in counts.items()}
    return {"max_length": max_length, "edges": edges, "counts": total, "classes": named}


def share_cut(content: Mapping[str, Any], limit: int) -> float | None:
    """Return the share of rows that are longer than a limit; None when no bar ends there, or there are no rows."""
    edges, counts = content["edges"], content["counts"]
    total = sum(counts)
    if limit + 1 not in edges or not total:
        return None
    return float(sum(counts[edges.index(limit + 1) :]) / total)
