"""The IOB2 form of entity tags: O, B-TYPE, I-TYPE. Checks it and repairs the one slip that is unambiguous.

Repair rule: an I-TYPE that continues nothing (first word, after O, after another type) begins an entity: B-TYPE.
"""

import re
from collections.abc import Iterable

OUTSIDE = "O"

_FORM = re.compile(r"O|[BI]-\S+")


def first_bad_tag(tags: Iterable[str]) -> int | None:
    """Return the position (from 0) of the first tag that is not IOB2, or None."""
    for position, tag in enumerate(tags):
        if not _FORM.fullmatch(tag):
            return position
    return None


def repair_tags(tags: list[str]) -> tuple[list[str], int]:
    """Turn every I- that continues nothing into B-; returns the tags and how many were turned."""
    repaired = list(tags)
    turned = 0
    before = OUTSIDE
    for position, tag in enumerate(tags):
        if tag.startswith("I-") and before[2:] != tag[2:]:
            repaired[position] = "B-" + tag[2:]
            turned += 1
        before = tag
    return repaired, turned


def entity_types(tags: Iterable[str]) -> set[str]:
    """Return the types of the entities that begin here."""
    return {tag[2:] for tag in tags if tag.startswith("B-")}
