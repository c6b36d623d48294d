"""The answers of a tagger as a list of sentences: what became of each entity, and which sentences fit a wish.

Flat columns instead of objects: 100,000 sentences of three entities take 10 MB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.entity_pairs import Fate, Pair, pair_entities
from bert_training.data.figures.shapes import Entity
from bert_training.data.listing.label_list import are_wanted
from bert_training.data.predicting.predictions import EntityAnswers, Predictions

NO_TYPE = ""  # no entity on that side
FATES = tuple(Fate)
NOWHERE = -1


class SentenceOrder(StrEnum):
    """In which order sentences are listed."""

    ERRORS = "errors"  # most errors first
    SURE = "sure"  # the most confident error first
    ROW = "row"


@dataclass(frozen=True)
class SentenceWish:
    """Which sentences somebody wants to see; None leaves all. One entity must fit fate, kind, given and answered alike.

    kind: the type on either side.  given, answered: the type on that side, NO_TYPE for none.  row, among: as LabelWish.
    """

    fate: Fate | None = None
    kind: str | None = None
    given: str | None = None
    answered: str | None = None
    is_right: bool | None = None
    row: int | None = None
    among: NDArray[np.int64] | None = None
    order: SentenceOrder = SentenceOrder.ERRORS


@dataclass(frozen=True)
class FoundEntity:
    """What became of an entity, and its probability where one was predicted."""

    fate: Fate
    gold: Entity | None
    predicted: Entity | None
    score: float | None


@dataclass(frozen=True)
class EntityList:
    """N sentences with M entities in all. starts: (N + 1,) where the entities of each begin.

    names: the types, by id; NO_TYPE is the last.  fates: (M,) indexes into FATES.  kinds: (M, 2) ids of the gold and of
    the predicted type.  spans: (M, 4) first word and last word + 1 of either, NOWHERE for none.  scores: (M,), NaN.
    """

    names: list[str]
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    fates: NDArray[np.int8]
    kinds: NDArray[np.int32]
    spans: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def errors(self) -> NDArray[np.int64]:
        """Count the errors of each sentence. (N,)."""
        return self._count_by_sentence(self._are_wrong)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Tell for each sentence whether every entity is right."""
        right: NDArray[np.bool_] = self.errors == 0
        return right

    def entities(self, place: int) -> list[FoundEntity]:
        """Return what became of each entity of a sentence, in the order of its words."""
        found = [self._entity(at) for at in range(self.starts[place], self.starts[place + 1])]
        return sorted(found, key=lambda each: ((each.gold or each.predicted or ("", 0, 0))[1:], each.fate))

    def places(self, wish: SentenceWish) -> list[int]:
        """Return where the wished sentences stand, in the wished order."""
        fits = are_wanted(self.rows, wish.row, wish.among)
        if wish.is_right is not None:
            fits &= self.is_right == wish.is_right
        entity_fits = self._fitting_entities(wish)
        if entity_fits is not None:
            fits &= self._count_by_sentence(entity_fits) > 0
        found = np.flatnonzero(fits)
        places: list[int] = found[np.lexsort((self.rows[found], *self._keys(wish.order, found)))].tolist()
        return places

    @property
    def _are_wrong(self) -> NDArray[np.bool_]:
        wrong: NDArray[np.bool_] = self.fates != FATES.index(Fate.RIGHT)
        return wrong

    def _keys(self, order: SentenceOrder, found: NDArray[np.int64]) -> tuple[NDArray[np.floating], ...]:
        if order is SentenceOrder.ROW:
            return ()
        if order is SentenceOrder.ERRORS:
            return (-self.errors[found].astype(np.float64),)
        surest = np.zeros(len(self))
        stated = np.where(self._are_wrong & ~np.isnan(self.scores), self.scores, 0.0)
        np.maximum.at(surest, self._sentence_of_entity(), stated)
        return (-surest[found],)

    def _fitting_entities(self, wish: SentenceWish) -> NDArray[np.bool_] | None:
        """Tell which entities fit; None where nothing is asked of them. Type alone asks for one that is wrong."""
        asked: list[NDArray[np.bool_]] = []
        if wish.fate is not None:
            asked.append(self.fates == FATES.index(wish.fate))
        for side, name in ((0, wish.given), (1, wish.answered)):
            if name is not None:
                asked.append(self.kinds[:, side] == self._id(name))
        if wish.kind is not None:
            asked.append((self.kinds == self._id(wish.kind)).any(axis=1))
            if wish.is_right is False and wish.fate is None:
                asked.append(self._are_wrong)
        fits: NDArray[np.bool_] | None = np.logical_and.reduce(asked) if asked else None
        return fits

    def _id(self, name: str) -> int:
        return self.names.index(name) if name in self.names else len(self.names)

    def _sentence_of_entity(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def _count_by_sentence(self, fits: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(self._sentence_of_entity()[fits], minlength=len(self))

    def _entity(self, at: int) -> FoundEntity:
        names = [self.names[kind] for kind in self.kinds[at]]
        ends = self.spans[at].tolist()
        gold = (names[0], ends[0], ends[1]) if names[0] else None
        predicted = (names[1], ends[2], ends[3]) if names[1] else None
        score = float(self.scores[at])
        return FoundEntity(FATES[self.fates[at]], gold, predicted, None if np.isnan(score) else score)


def list_sentences(parts: Sequence[Predictions], names: Sequence[str]) -> EntityList | None:
    """Make a list of answers; None of no rows. names: of the entity types."""
    kept = [part for part in parts if len(part.rows)]
    if not kept:
        return None
    ids = {name: place for place, name in enumerate([*names, NO_TYPE])}
    sentences = [list(pairs) for part in kept for pairs in _pairs(part.answers)]
    columns = [_column(pair, score, ids) for pairs in sentences for pair, score in pairs]
    table = np.array(columns, dtype=np.float64).reshape(-1, 8)
    return EntityList(
        names=[*names, NO_TYPE],
        rows=np.concatenate([part.rows for part in kept]),
        starts=np.cumsum([0, *map(len, sentences)]),
        fates=table[:, 0].astype(np.int8),
        kinds=table[:, 1:3].astype(np.int32),
        spans=table[:, 3:7].astype(np.int32),
        scores=table[:, 7].astype(np.float32),
    )


def _pairs(answers: object) -> Iterator[Iterator[tuple[Pair, float]]]:
    assert isinstance(answers, EntityAnswers)
    for gold, predicted in zip(answers.gold, answers.predicted, strict=True):
        scores = {(kind, start, end): score for kind, start, end, score in predicted}
        pairs = pair_entities([(kind, start, end) for kind, start, end, *_ in gold], scores)
        yield ((pair, scores[pair.predicted] if pair.predicted else np.nan) for pair in pairs)


def _column(pair: Pair, score: float, ids: dict[str, int]) -> tuple[float, ...]:
    gold, predicted = pair.gold or (NO_TYPE, NOWHERE, NOWHERE), pair.predicted or (NO_TYPE, NOWHERE, NOWHERE)
    return (FATES.index(pair.fate), ids[gold[0]], ids[predicted[0]], *gold[1:], *predicted[1:], score)
