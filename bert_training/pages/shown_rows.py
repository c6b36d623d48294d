"""Rows of a result as their page shows them: the answer beside the label, or a sentence with its entities marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bert_training.pages.row_texts import SHORT_CHARACTERS, TEXT_CHARACTERS, cut
from bert_training.services.answers.answer_words import FATE_LABELS, plain_text
from bert_training.services.answers.row_lists import LabelRow, SentenceRow
from bert_training.services.doubting.doubted_labels import label_text
from bert_training.services.profile_words import row_names
from bert_training.services.proving.figure_words import share_text

MOST_WORDS = 80  # of a sentence that is shown at once; a longer one opens on demand

Entity = tuple[str, int, int]


@dataclass(frozen=True)
class ShownShare:
    """A label and its probability; bar: as HTML attributes want numbers."""

    label: str
    text: str
    bar: str


@dataclass(frozen=True)
class ShownLabel:
    """A row of a classifier. short, text: "" where the text cannot be shown; both the same for a short one."""

    row: str
    given: str
    answered: str
    is_right: bool
    certainty: str
    best: list[ShownShare]
    short: str
    text: str


@dataclass(frozen=True)
class Piece:
    """Words of a sentence. fate, label: of the entity that they are, "" for none."""

    words: str
    kind: str = ""
    fate: str = ""
    label: str = ""


@dataclass(frozen=True)
class ShownError:
    """What went wrong with one entity, in words. given, answered: types with the words that they stand for."""

    label: str
    fate: str
    given: str
    answered: str
    certainty: str


@dataclass(frozen=True)
class ShownSentence:
    """A sentence of a tagger. given, answered: its words with the entities marked; empty where it cannot be shown."""

    row: str
    errors: list[ShownError]
    given: list[Piece]
    answered: list[Piece]
    is_long: bool
    beginning: str


def shown_labels(rows: Sequence[LabelRow], values: Mapping[int, Any]) -> list[ShownLabel]:
    """Show rows of a classifier. values: texts by row number."""
    return [_shown_label(row, plain_text(values.get(row.row, ""))) for row in rows]


def shown_sentences(rows: Sequence[SentenceRow], values: Mapping[int, Any]) -> list[ShownSentence]:
    """Show sentences of a tagger. values: their words by row number."""
    return [_shown_sentence(row, values.get(row.row) or []) for row in rows]


def _shown_label(row: LabelRow, text: str) -> ShownLabel:
    return ShownLabel(
        row=row_names([row.row]),
        given=row.given,
        answered=row.answered,
        is_right=row.is_right,
        certainty=share_text(row.certainty),
        best=[ShownShare(label, share_text(share), f"{share:.4f}") for label, share in row.best],
        short=cut(text, SHORT_CHARACTERS),
        text=cut(text, TEXT_CHARACTERS),
    )


def _shown_sentence(row: SentenceRow, words: Sequence[str]) -> ShownSentence:
    golds = [(each.gold, each.fate.value) for each in row.entities if each.gold]
    answers = [(each.predicted, each.fate.value) for each in row.entities if each.predicted]
    return ShownSentence(
        row=row_names([row.row]),
        errors=[
            ShownError(
                label=str(FATE_LABELS[each.fate]),
                fate=each.fate.value,
                given=_side(each.gold, words),
                answered=_side(each.predicted, words),
                certainty="" if each.score is None else share_text(each.score),
            )
            for each in row.errors
        ],
        given=_pieces(words, golds),
        answered=_pieces(words, answers),
        is_long=len(words) > MOST_WORDS,
        beginning=cut(" ".join(words), SHORT_CHARACTERS),
    )


def _pieces(words: Sequence[str], marked: Sequence[tuple[Entity, str]]) -> list[Piece]:
    """Cut a sentence where its entities begin and end; entities of one side share no word."""
    pieces, done = [], 0
    for (kind, start, end), fate in sorted(marked, key=lambda each: each[0][1]):
        if words[done:start]:
            pieces.append(Piece(" ".join(words[done:start])))
        if words[start:end]:
            pieces.append(Piece(" ".join(words[start:end]), kind, fate, str(FATE_LABELS[fate])))
        done = end
    return [*pieces, Piece(" ".join(words[done:]))] if words[done:] else pieces


def _side(entity: Entity | None, words: Sequence[str]) -> str:
    """Name an entity by its type and its words, or by their numbers where they cannot be shown."""
    if entity is None:
        return label_text("")
    kind, start, end = entity
    if words[start:end]:
        return _("%(type)s “%(words)s”") % {"type": kind, "words": cut(" ".join(words[start:end]), SHORT_CHARACTERS)}
    numbers = {"type": kind, "first": start + 1, "last": end}
    return (_("%(type)s, word %(first)s") if end - start == 1 else _("%(type)s, words %(first)s to %(last)s")) % numbers
