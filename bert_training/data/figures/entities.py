"""Figures of a tagger, counted over entities: type and both borders must fit (IOB2, strict)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.entity_pairs import Fate, Pair, pair_entities
from bert_training.data.figures.judgement import Tally
from bert_training.data.figures.rates import Rates, class_rows, macro_rates, micro_rates
from bert_training.data.figures.shapes import ClassFigures, Entity, Figures, defined
from bert_training.data.predicting.predictions import EntityAnswers

SCHEME = "IOB2 strict"
OUTSIDE = "O"
FIRST = ("f1", "precision", "recall", "accuracy")  # in the order of a line of figures
NO_ENTITY = -1  # in the confusion of types: nothing was there, or nothing was found


class EntityJudgement:
    """Judges the entities of sentences; names: the entity types. See `Judgement`.

    Precision, recall and F1 are counted over all entities (micro) and as means over the types that have examples;
    None when no sentence has an entity. accuracy is the share of words with the right tag.
    """

    def figures(self, answers: EntityAnswers, names: list[str]) -> Figures:
        """Return every figure but the loss."""
        rates = self.rates(self.tally(answers, names).totals())
        words = int(answers.words.sum())
        accuracy = {"accuracy": int(answers.right.sum()) / words if words else None}
        found = {name: defined(rate[0]) for name, rate in rates.items()} | accuracy
        return {name: found[name] for name in FIRST} | found

    def classes(self, answers: EntityAnswers, names: list[str]) -> list[ClassFigures]:
        """Return the figures of each entity type."""
        return class_rows(self.tally(answers, names), names)

    def tally(self, answers: EntityAnswers, names: list[str]) -> Tally:
        """Count hits, found and existing entities of each sentence and type."""
        ids = _type_ids(answers, names)
        counts = Counter(
            (row, ids[kind], place)
            for row, (gold, predicted) in enumerate(zip(answers.gold, answers.predicted, strict=True))
            for place, kind in _counted(gold, predicted)
        )
        entries = np.array(sorted(counts), dtype=np.int64).reshape(-1, 3)
        return Tally(
            row_count=len(answers),
            class_count=len(names),
            rows=entries[:, 0],
            classes=entries[:, 1],
            kinds=entries[:, 2],
            amounts=np.array([counts[entry] for entry in sorted(counts)], dtype=np.int64),
        )

    def rates(self, totals: NDArray[np.float64]) -> Rates:
        """Return precision, recall and F1 over all entities, and their means over types."""
        macro = {f"{name}_macro": rate for name, rate in macro_rates(totals).items()}
        return {**micro_rates(totals), **macro}

    def confidences(self, answers: EntityAnswers) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the score of each predicted entity and whether it is right."""
        judged = [
            (score, (kind, start, end) in exist)
            for exist, found in zip(map(_plain, answers.gold), answers.predicted, strict=True)
            for kind, start, end, score in found
        ]
        scores, right = zip(*judged, strict=True) if judged else ((), ())
        return np.array(scores, dtype=np.float64), np.array(right, dtype=np.bool_)

    def details(self, answers: EntityAnswers, names: list[str]) -> dict[str, Any]:
        """Return confusion and errors. A wrong border is on the confusion's diagonal: it is one of types."""
        ids = {**_type_ids(answers, names), "": NO_ENTITY}
        pairs = [*_pairs(answers)]
        fates = Counter(pair.fate for pair in pairs)
        kinds = Counter((ids[_kind(pair.gold)], ids[_kind(pair.predicted)]) for pair in pairs)
        errors = {
            "scheme": SCHEME,
            **{fate.value: fates[fate] for fate in Fate},
            "invalid_tags": int(answers.invalid.sum()),
            "sentences": len(answers),
            "sentences_cut": int(np.count_nonzero(answers.unseen)),
            "words_cut": int(answers.unseen.sum()),
        }
        return {"confusion": [[*types, count] for types, count in sorted(kinds.items())], "entities": errors}


ENTITIES = EntityJudgement()


def _plain(entities: Sequence[Sequence[Any]]) -> set[Entity]:
    """Return the entities of a sentence without scores."""
    return {(kind, start, end) for kind, start, end, *_ in entities}


def _counted(gold: Sequence[Entity], predicted: Sequence[Sequence[Any]]) -> Iterator[tuple[int, str]]:
    """Yield what counts in a sentence: 0 = a hit, 1 = found, 2 = existing, and the type."""
    exist, found = _plain(gold), _plain(predicted)
    for place, entities in enumerate((exist & found, found, exist)):
        for kind, _, _ in entities:
            yield place, kind


def _pairs(answers: EntityAnswers) -> Iterator[Pair]:
    for gold, predicted in zip(answers.gold, answers.predicted, strict=True):
        yield from pair_entities(_plain(gold), _plain(predicted))


def _kind(entity: Entity | None) -> str:
    return entity[0] if entity else ""


def _type_ids(answers: EntityAnswers, names: Sequence[str]) -> dict[str, int]:
    """Number the types; refuses entities of a type that the run does not know."""
    ids = {name: place for place, name in enumerate(names)}
    found = chain(map(_plain, answers.gold), map(_plain, answers.predicted))
    unknown = {kind for entities in found for kind, _, _ in entities} - ids.keys()
    if unknown:
        raise ValueError(f"Entities of type {', '.join(sorted(unknown))}, but the types are {', '.join(names)}.")
    return ids


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
