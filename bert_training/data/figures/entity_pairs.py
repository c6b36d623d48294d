"""Which predicted entity answers which gold one in a sentence: what became of each, counted once."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from bert_training.data.figures.shapes import Entity


class Fate(StrEnum):
    """What became of an entity: the names are fields of `EntityErrors`."""

    RIGHT = "right"  # type and both borders fit
    WRONG_TYPE = "wrong_type"  # another type, whatever the borders
    WRONG_BOUNDARY = "wrong_boundary"  # the type fits, a border does not
    MISSED = "missed"  # a gold entity that no predicted one is left for
    SPURIOUS = "spurious"  # a predicted entity that no gold one is left for


class Pair(NamedTuple):
    """A gold entity and the predicted one that answers it; None where there is none."""

    fate: Fate
    gold: Entity | None
    predicted: Entity | None


def pair_entities(gold: Iterable[Entity], predicted: Iterable[Entity]) -> list[Pair]:
    """Pair the entities of a sentence one to one; each is in exactly one pair.

    Equal ones first. Of the others, those that share words: first with the same borders, then of the same type, then
    of another type; within each of these the two that share most words, among equals the first in the sentence. The
    order in which entities are given plays no part.
    """
    left, answers = set(gold), set(predicted)
    pairs = [Pair(Fate.RIGHT, entity, entity) for entity in sorted(left & answers)]
    left, answers = left - answers, answers - left
    for _, _, _, one, other in sorted(_candidates(left, answers)):
        if one in left and other in answers:
            pairs.append(Pair(Fate.WRONG_BOUNDARY if one[0] == other[0] else Fate.WRONG_TYPE, one, other))
            left.remove(one)
            answers.remove(other)
    pairs += [Pair(Fate.MISSED, entity, None) for entity in sorted(left)]
    return pairs + [Pair(Fate.SPURIOUS, None, entity) for entity in sorted(answers)]


def _candidates(
    gold: set[Entity], predicted: set[Entity]
) -> Iterator[tuple[int, int, tuple[int, int], Entity, Entity]]:
    """Yield two that share words, so that they sort as they are to be paired."""
    for one in gold:
        for other in predicted:
            shared = min(one[2], other[2]) - max(one[1], other[1])
            if shared > 0:
                rank = 0 if one[1:] == other[1:] else 1 if one[0] == other[0] else 2
                yield rank, -shared, (one[1], other[1]), one, other
