"""Describes the examples of a dataset for people: classes, lengths, repeated and contradictory texts, personal data.

The profile is JSON and holds row numbers (data.table.PART_STRIDE), never a text:

rows: int
classes: {"counts": {name: n}, "number", "largest", "smallest", "effective"}; entities are counted for tags
tags: {tag: n}, or absent where an answer is one label
lengths: data.summary.describe_lengths of all, and "classes": {name: {"counts", "median", "max"}} of the SHOWN_CLASSES
    most frequent classes, counted in the same histogram; "rest": the same for all others, or absent
exact: {"groups", "rows", "repeated"}: texts that occur more than once; the rows they fill; those beyond the first
contradictions: {"texts", "rows", "examples": [{"rows", "names"}]}: the same text with different answers
near: as exact, and "largest": [{"rows": first row numbers, "size"}]; the exact ones count too; None for more text than
    data.profiling.duplicates compares
personal: {kind of data.profiling.personal_data: {"found", "rows", "first_rows"}}
group: {"groups", "largest", "blank"}, or absent where no column says what belongs together
continues: what has changed since the dataset that this one continues; added by services.continuations, or absent
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bert_training.data.profiling.duplicates import can_compare, exact_groups, near_groups
from bert_training.data.profiling.personal_data import count_personal_data

SHOWN_CLASSES = 20
SHOWN_EXAMPLES = 50  # contradictions that are listed
SHOWN_GROUPS = 20
SHOWN_ROWS = 10  # of each group, and of each kind of personal data


@dataclass(frozen=True)
class Examples:
    """A table as any task gives it: one entry a row.

    answers: what is learned, as one string.  classes: what a split keeps the shares of.  summary: TaskSpec.summarize.
    groups: what belongs together in the user's words, or nothing.
    """

    rows: Sequence[int]
    texts: list[str]
    answers: Sequence[str]
    classes: Sequence[str]
    summary: Mapping[str, Any]
    groups: Sequence[str] = field(default=())


def describe_examples(examples: Examples) -> tuple[dict[str, Any], list[int] | None]:
    """Return the profile, and for each row the index of the first of its near-duplicates, if they were looked for."""
    exact = exact_groups(examples.texts)
    near = near_groups(examples.texts) if can_compare(examples.texts) else None
    content: dict[str, Any] = {
        "rows": len(examples.rows),
        "classes": describe_classes(examples.summary["labels"]),
        "lengths": _lengths(examples),
        "exact": describe_groups(exact),
        "contradictions": _contradictions(examples, exact),
        "near": None if near is None else {**describe_groups(near), "largest": _largest(near, examples.rows)},
        "personal": _personal(examples),
    }
    if "tags" in examples.summary:
        content["tags"] = examples.summary["tags"]
    if examples.groups:
        content["group"] = _own_groups(examples.groups)
    return content, near


def describe_classes(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return how the examples are spread; effective: so many classes of one size are as diverse (e to the entropy)."""
    total = sum(counts.values())
    entropy = -sum(n / total * math.log(n / total) for n in counts.values() if n)
    return {
        "counts": dict(counts),
        "number": len(counts),
        "largest": max(counts.values(), default=0),
        "smallest": min(counts.values(), default=0),
        "effective": round(math.exp(entropy), 1) if counts else 0,
    }


def describe_groups(groups: Sequence[int]) -> dict[str, int]:
    """Count the groups of more than one row, the rows in them, and those rows beyond the first of each."""
    sizes = [size for size in Counter(groups).values() if size > 1]
    return {"groups": len(sizes), "rows": sum(sizes), "repeated": sum(sizes) - len(sizes)}


def _lengths(examples: Examples) -> dict[str, Any]:
    lengths = dict(examples.summary["lengths"])
    edges = lengths.get("histogram", {}).get("edges", [])
    if not edges:
        return lengths
    frequent = [name for name, _count in Counter(examples.classes).most_common(SHOWN_CLASSES)]
    found: dict[str, list[int]] = {name: [] for name in sorted(frequent)}
    rest: list[int] = []
    for name, text in zip(examples.classes, examples.texts, strict=True):
        found.get(name, rest).append(len(text.split()))
    lengths["classes"] = {name: _class_lengths(sorted(of_class), edges) for name, of_class in found.items()}
    return {**lengths, "rest": _class_lengths(sorted(rest), edges)} if rest else lengths


def _class_lengths(ordered: Sequence[int], edges: Sequence[int]) -> dict[str, Any]:
    below = [bisect_left(ordered, edge) for edge in edges]
    counts = [high - low for low, high in pairwise(below)]
    return {"counts": counts, "median": ordered[(len(ordered) - 1) // 2], "max": ordered[-1]}


def _contradictions(examples: Examples, exact: Sequence[int]) -> dict[str, Any]:
    answers = examples.answers
    mixed = {group for index, group in enumerate(exact) if answers[index] != answers[group]}
    members: dict[int, list[int]] = {group: [] for group in sorted(mixed)}
    for index, group in enumerate(exact):
        if group in members:
            members[group].append(index)
    listed = [_contradiction(examples, indexes) for indexes in list(members.values())[:SHOWN_EXAMPLES]]
    return {"texts": len(members), "rows": sum(map(len, members.values())), "examples": listed}


def _contradiction(examples: Examples, indexes: list[int]) -> dict[str, Any]:
    names = sorted({examples.classes[index] for index in indexes})
    return {"rows": [examples.rows[index] for index in indexes[:SHOWN_ROWS]], "names": names[:SHOWN_ROWS]}


def _largest(groups: Sequence[int], rows: Sequence[int]) -> list[dict[str, Any]]:
    sizes = Counter(groups)
    largest = sorted((group for group, size in sizes.items() if size > 1), key=lambda group: (-sizes[group], group))
    members: dict[int, list[int]] = {group: [] for group in largest[:SHOWN_GROUPS]}
    for row, group in zip(rows, groups, strict=True):
        if group in members and len(members[group]) < SHOWN_ROWS:
            members[group].append(row)
    return [{"rows": found, "size": sizes[group]} for group, found in members.items()]


def _personal(examples: Examples) -> dict[str, Any]:
    return {
        kind.value: {
            "found": counted.found,
            "rows": counted.rows,
            "first_rows": [examples.rows[index] for index in counted.first_indexes[:SHOWN_ROWS]],
        }
        for kind, counted in count_personal_data(examples.texts).items()
    }


def _own_groups(groups: Sequence[str]) -> dict[str, int]:
    sizes = Counter(group for group in groups if group)
    return {"groups": len(sizes), "largest": max(sizes.values(), default=0), "blank": groups.count("")}
