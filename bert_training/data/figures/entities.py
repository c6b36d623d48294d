"""Figures of a tagger, counted over entities: type and both borders must fit (IOB2, strict)."""

from collections import Counter
from collections.abc import Sequence

from bert_training.data.figures.shapes import ClassFigures, Figures, class_row

Entity = tuple[str, int, int]  # type, first word, last word + 1

OUTSIDE = "O"


def iob2_entities(tags: Sequence[str]) -> list[Entity]:
    """Read the entities of one sentence, strict IOB2: B- opens, I- of the same type goes on, nothing else counts."""
    entities: list[Entity] = []
    kind, start = "", 0
    for position, tag in enumerate([*tags, OUTSIDE]):
        if kind and tag != f"I-{kind}":
            entities.append((kind, start, position))
            kind = ""
        if tag.startswith("B-"):
            kind, start = tag[2:], position
    return entities


def entity_figures(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Figures:
    """Micro precision, recall and F1 over entities (type and both borders must fit) and the share of right tags.

    Precision, recall and F1 are None when no gold sentence has an entity; accuracy is None without words.
    """
    hits, found, exist = _entity_counts(gold, predicted)
    judged = _entity_row("", hits.total(), found.total(), exist.total())
    words = sum(map(len, gold))
    right = sum(g == p for tags, others in zip(gold, predicted, strict=True) for g, p in zip(tags, others, strict=True))
    return {
        "f1": judged["f1"],
        "precision": judged["precision"],
        "recall": judged["recall"],
        "accuracy": right / words if words else None,
    }


def entity_class_figures(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], kinds: Sequence[str]
) -> list[ClassFigures]:
    """Judge each entity type of `kinds` on its own."""
    hits, found, exist = _entity_counts(gold, predicted)
    return [_entity_row(kind, hits[kind], found[kind], exist[kind]) for kind in kinds]


def _entity_counts(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Count by type: entities found and right, found, existing."""
    hits, found, exist = Counter[str](), Counter[str](), Counter[str]()
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        gold_entities, predicted_entities = set(iob2_entities(gold_tags)), set(iob2_entities(predicted_tags))
        exist.update(kind for kind, _, _ in gold_entities)
        found.update(kind for kind, _, _ in predicted_entities)
        hits.update(kind for kind, _, _ in gold_entities & predicted_entities)
    return hits, found, exist


def _entity_row(kind: str, hits: int, found: int, exist: int) -> ClassFigures:
    precision = hits / found if found else 0.0
    return class_row(kind, precision, hits / exist if exist else 0.0, 2 * hits / max(1, found + exist), exist)
