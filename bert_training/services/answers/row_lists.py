"""Which rows of a split somebody wants to see, of labels or of entities alike, and what was answered for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bert_training.contract.enums import Split
from bert_training.data.figures.entities import EntityJudgement
from bert_training.data.figures.entity_pairs import Fate
from bert_training.data.listing.entity_list import (
    NO_TYPE,
    EntityList,
    FoundEntity,
    SentenceOrder,
    SentenceWish,
)
from bert_training.data.listing.label_list import LabelList, LabelWish, Order
from bert_training.models import Run
from bert_training.services.answers.answer_lists import AnswerList, answer_list
from bert_training.services.doubting.doubted_labels import NO_ENTITY
from bert_training.services.proving.predictions import label_names
from bert_training.tasks import TASKS


class Show(StrEnum):
    """Which rows by how they were answered."""

    WRONG = "wrong"
    RIGHT = "right"
    ALL = "all"


IS_RIGHT = {Show.WRONG: False, Show.RIGHT: True, Show.ALL: None}


@dataclass(frozen=True)
class Asked:
    """What an address asks for; "" and None leave all. given, answered, kind: names.  low, high: of 1.

    error: of Fate, kind: an entity type on either side.  order: of Order or SentenceOrder, "" = the usual one.
    against: another run with the same rows, of which other says how it answered.
    """

    split: Split = Split.TEST
    show: Show = Show.WRONG
    given: str = ""
    answered: str = ""
    low: float | None = None
    high: float | None = None
    row: int | None = None
    order: str = ""
    error: str = ""
    kind: str = ""
    against: Run | None = None
    other: Show = Show.ALL


@dataclass(frozen=True)
class LabelRow:
    """A row and the answer for it. certainty: None where none was stated.  best: the most probable labels."""

    row: int
    given: str
    answered: str
    is_right: bool
    certainty: float | None
    best: list[tuple[str, float]]


@dataclass(frozen=True)
class SentenceRow:
    """A sentence and what became of its entities."""

    row: int
    entities: list[FoundEntity]

    @property
    def errors(self) -> list[FoundEntity]:
        """Return those that are not right."""
        return [each for each in self.entities if each.fate is not Fate.RIGHT]


@dataclass(frozen=True)
class RowList:
    """The rows that were found. total, wrong: of the whole split.  places: of the rows in `answers`, in order."""

    answers: AnswerList | None
    names: list[str]
    places: list[int]
    total: int = 0
    wrong: int = 0

    def labels(self, places: Sequence[int]) -> list[LabelRow]:
        """Return the rows at some places."""
        assert isinstance(self.answers, LabelList)
        return [self._label(self.answers, place) for place in places]

    def sentences(self, places: Sequence[int]) -> list[SentenceRow]:
        """Return the sentences at some places."""
        answers = self.answers
        assert isinstance(answers, EntityList)
        return [SentenceRow(int(answers.rows[place]), answers.entities(place)) for place in places]

    def numbers(self, places: Sequence[int]) -> list[int]:
        """Return the row numbers at some places."""
        return [] if self.answers is None else [int(self.answers.rows[place]) for place in places]

    def _label(self, answers: LabelList, place: int) -> LabelRow:
        certainty = float(answers.certainty[place])
        return LabelRow(
            row=int(answers.rows[place]),
            given=self.names[answers.gold[place]],
            answered=self.names[answers.predicted[place]],
            is_right=bool(answers.gold[place] == answers.predicted[place]),
            certainty=None if certainty != certainty else certainty,
            best=[(self.names[label], share) for label, share in answers.top(place)],
        )


def lists_sentences(run: Run) -> bool:
    """Tell whether a run answers with entities in sentences rather than with a label a text."""
    return run.task in TASKS and isinstance(TASKS[run.task].judgement, EntityJudgement)


def find_rows(run: Run, asked: Asked) -> RowList:
    """Find the rows that somebody asks for; raises ServiceError not_found, DatasetGone, StorageAway."""
    names, answers = label_names(run), answer_list(run, asked.split)
    if answers is None:
        return RowList(None, names, [])
    among = _among(asked)
    if isinstance(answers, LabelList):
        places = answers.places(_label_wish(asked, names, among))
    else:
        places = answers.places(_sentence_wish(asked, among))
    return RowList(answers, names, places, total=len(answers), wrong=int((~answers.is_right).sum()))


def _among(asked: Asked) -> Any:
    """Return the numbers of the rows that the other run answered as asked; None where there is no other."""
    if asked.against is None:
        return None
    listed = answer_list(asked.against, asked.split)
    if listed is None:
        return []
    is_right = IS_RIGHT[asked.other]
    return listed.rows if is_right is None else listed.rows[listed.is_right == is_right]


def _label_wish(asked: Asked, names: list[str], among: Any) -> LabelWish:
    return LabelWish(
        given=names.index(asked.given) if asked.given in names else None,
        answered=names.index(asked.answered) if asked.answered in names else None,
        is_right=IS_RIGHT[asked.show],
        low=asked.low,
        high=asked.high,
        row=asked.row,
        among=among,
        order=Order(asked.order or Order.SURE),
    )


def _sentence_wish(asked: Asked, among: Any) -> SentenceWish:
    return SentenceWish(
        fate=Fate(asked.error) if asked.error else None,
        kind=asked.kind or None,
        given=_type(asked.given),
        answered=_type(asked.answered),
        is_right=IS_RIGHT[asked.show],
        row=asked.row,
        among=among,
        order=SentenceOrder(asked.order or SentenceOrder.ERRORS),
    )


def _type(name: str) -> str | None:
    """Return a type of entities as lists name it: NO_ENTITY stands for none, "" for all."""
    return NO_TYPE if name == NO_ENTITY else name or None
