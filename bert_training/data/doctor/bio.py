"""The IOB2 form of entity tags: O, B-TYPE, I-TYPE. Checks it, repairs one slip, converts other forms.

Repair rule: an I-TYPE that continues nothing (first word, after O, after another type) begins an entity: B-TYPE.
"""

import re
from collections.abc import Iterable

OUTSIDE = "O"
TAG_CHARACTERS = 100

_FORM = re.compile(r"O|[BI]-\S+")
# b-per, B_PER, "B PER", and the letters of BIOES, BILOU and BMES.
_OTHER_FORM = re.compile(r"\s*([BbIiEeLlMmSsUu])\s*[-_\u2010-\u2015\u2212:/ ]\s*(\S+)\s*")
_LETTERS = {"B": "B", "S": "B", "U": "B", "I": "I", "M": "I", "E": "I", "L": "I"}
_OTHER_OUTSIDE = frozenset("Oo0")


def is_bio(tag: str) -> bool:
    """Tell whether a tag is O, B-TYPE or I-TYPE."""
    return len(tag) <= TAG_CHARACTERS and _FORM.fullmatch(tag) is not None


def mend_tag(tag: str) -> str | None:
    """Read a tag of another form (b-per, B_PER, S-PER, E-PER, o) as IOB2; None when it is no such form."""
    if is_bio(tag):
        return tag
    if tag.strip() in _OTHER_OUTSIDE:
        return OUTSIDE
    parts = _OTHER_FORM.fullmatch(tag)
    mended = f"{_LETTERS[parts[1].upper()]}-{parts[2]}" if parts else ""
    return mended if is_bio(mended) else None


def runs_to_entities(tags: list[str]) -> list[str]:
    """Read plain names (PER PER O) as entities: each run of one name is one of them. Tags that are IOB2 stay."""
    entities: list[str] = []
    before = OUTSIDE
    for tag in tags:
        name = OUTSIDE if tag.strip() in _OTHER_OUTSIDE else tag
        entities.append(name if is_bio(name) else f"{'I' if name == before else 'B'}-{_type_name(name)}")
        before = name
    return entities


def words_to_entities(tags: list[str]) -> list[str]:
    """Read a tag for each word (N ADJ V) as entities of one word each. Tags that are IOB2 stay."""
    return [tag if is_bio(tag) else f"B-{_type_name(tag)}" for tag in tags]


def repair_tags(tags: list[str]) -> tuple[list[str], list[int]]:
    """Turn every I- that continues nothing into B-; returns the tags and the positions (from 0) of those turned.

    tags: IOB2 but for that slip.
    """
    pairs = zip([OUTSIDE, *tags], tags, strict=False)  # each tag and the one before it
    turned = [position for position, (before, tag) in enumerate(pairs) if tag[0] == "I" and before[2:] != tag[2:]]
    if not turned:
        return tags, turned
    repaired = list(tags)
    for position in turned:
        repaired[position] = "B-" + tags[position][2:]
    return repaired, turned


def entity_types(tags: Iterable[str]) -> set[str]:
    """Return the types of the entities that begin here."""
    return {tag[2:] for tag in set(tags) if tag.startswith("B-")}


def name_entities(tags: list[str]) -> str:
    """Write the entities of a row with the positions of their words (from 1): "1-2 PESSOA; 6 LOCAL"; O without any."""
    starts = [position for position, tag in enumerate(tags) if tag[0] == "B"]
    spans = []
    for start in starts:
        end = start + 1
        while end < len(tags) and tags[end].startswith("I-"):
            end += 1
        place = f"{start + 1}-{end}" if end > start + 1 else str(end)
        spans.append(f"{place} {tags[start][2:]}")
    return "; ".join(spans) or OUTSIDE


def _type_name(name: str) -> str:
    return "_".join(name.split())
