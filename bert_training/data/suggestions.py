"""Guesses which column of a stranger's sheet is which of the task's, by its name and by what its first cells hold.

Only ever a proposal that somebody confirms. 200 rows of 16 columns cost 10 ms.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Protocol

from bert_training.data.cells import clean_cell, is_blank, to_text

SAMPLE_ROWS = 200
SUGGESTIONS = 5
LEAST_SCORE = 0.3
NAME_WEIGHT, CONTENT_WEIGHT = 0.5, 0.5
LIKE_A_NAME = 0.75  # names that are less alike have nothing to do with each other
SHARED_WORD = 0.8  # "review_text" for "text"

TEXT_WORDS = 12  # a text of so many words is surely one
LABEL_CHARACTERS = 30
LABELS = 100
KEY_CHARACTERS = 40
SOME_KEY = 0.7  # a number that comes again, but is no process number
WORD_VARIETY = 0.25  # of the words of 200 sentences 0.3 are different ones, of their tags 0.01

_WORDS = re.compile(r"[a-z0-9]+")
_LIST = re.compile(r"\s*\[.*\]\s*", re.DOTALL)
_QUOTE = "[\"'\u201c\u201d\u2018\u2019]"
_ITEMS = re.compile(rf"{_QUOTE}(.*?){_QUOTE}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4}")
_PROCESS = re.compile(r"\d{7}-?\d{2}\.?\d{4}\.?\d\.?\d{2}\.?\d{4}")


class Content(StrEnum):
    """What the cells of a task's column are like."""

    TEXT = "text"
    LABEL = "label"
    TOKENS = "tokens"
    TAGS = "tags"
    KEY = "key"


class SuggestedColumn(Protocol):
    """What a task says of a column (tasks.spec.Column)."""

    @property
    def name(self) -> str: ...
    @property
    def header(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...
    @property
    def content(self) -> Content: ...


@dataclass(frozen=True)
class _Sample:
    """The first cells of one column. filled: those that are not blank, of `rows`."""

    filled: list[str]
    rows: int

    @property
    def fill(self) -> float:
        return len(self.filled) / self.rows

    @property
    def distinct(self) -> float:
        return len(set(self.filled)) / len(self.filled)


def suggest_columns(
    header: Sequence[str], rows: Sequence[Sequence[object]], wanted: Sequence[SuggestedColumn]
) -> dict[str, list[str]]:
    """Return task column -> headers that it could be, the likeliest first; no header is first for two columns."""
    scores = _scores(header, rows[:SAMPLE_ROWS], wanted)
    first: dict[str, str] = {}
    for _score, column, name in sorted(scores, key=lambda entry: (-entry[0], entry[1:])):
        if column not in first and name not in first.values():
            first[column] = name
    suggestions: dict[str, list[str]] = {column: [name] for column, name in first.items()}
    for _score, column, name in sorted(scores, key=lambda entry: (-entry[0], entry[1:])):
        listed = suggestions.setdefault(column, [])
        if name not in listed and len(listed) < SUGGESTIONS:
            listed.append(name)
    return suggestions


def _scores(
    header: Sequence[str], rows: Sequence[Sequence[object]], wanted: Sequence[SuggestedColumn]
) -> list[tuple[float, str, str]]:
    scores = []
    for position, name in enumerate(header):
        sample = _sample(rows, position)
        if is_blank(name) or not sample.filled:
            continue
        for column in wanted:
            content = _CONTENT_SCORES[column.content](sample)
            score = NAME_WEIGHT * _name_score(name, column) + CONTENT_WEIGHT * content
            if content and score >= LEAST_SCORE:
                scores.append((score, column.name, name))
    return scores


def _sample(rows: Sequence[Sequence[object]], position: int) -> _Sample:
    texts = [clean_cell(to_text(row[position])) for row in rows if position < len(row)]
    return _Sample([text for text in texts if not is_blank(text)], max(1, len(rows)))


def _name_score(header: str, column: SuggestedColumn) -> float:
    """Compare a header with the names that the column is known by: 1 for one of them, 0 for nothing alike."""
    return max(_likeness(_plain(header), _plain(name)) for name in (column.name, column.header, *column.aliases))


def _likeness(header: str, name: str) -> float:
    if header == name:
        return 1.0
    if name in header.split():
        return SHARED_WORD
    ratio = SequenceMatcher(None, header, name).ratio()
    return ratio if ratio >= LIKE_A_NAME else 0.0


def _plain(header: str) -> str:
    """Reduce a header to its words: "Texto_da Petição" is "texto da peticao"."""
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode().lower()))


def _text_score(sample: _Sample) -> float:
    """Long and all different."""
    words = sum(len(text.split()) for text in sample.filled) / len(sample.filled)
    return 0.0 if _list_share(sample) > 0.5 else sample.fill * sample.distinct * min(1.0, words / TEXT_WORDS)


def _label_score(sample: _Sample) -> float:
    """Few different, short values; a date is none."""
    different = set(sample.filled)
    is_short = all(len(text) <= LABEL_CHARACTERS for text in different)
    is_date = all(_DATE.match(text) for text in different)
    if not 2 <= len(different) <= LABELS or not is_short or is_date:
        return 0.0
    return sample.fill * (1 - sample.distinct)


def _tokens_score(sample: _Sample) -> float:
    """Lists whose items differ."""
    return _list_share(sample) * _item_variety(sample)


def _tags_score(sample: _Sample) -> float:
    """Lists of the same few items again and again."""
    return _list_share(sample) * (1 - _item_variety(sample))


def _key_score(sample: _Sample) -> float:
    """Short values with digits that come again, process numbers above all."""
    if any(len(text) > KEY_CHARACTERS for text in sample.filled) or len(set(sample.filled)) < 2:
        return 0.0
    if sum(bool(_PROCESS.fullmatch(text)) for text in sample.filled) > len(sample.filled) / 2:
        return 1.0
    has_digits = sum(any(map(str.isdigit, text)) for text in sample.filled) / len(sample.filled)
    is_date = all(_DATE.match(text) for text in sample.filled)
    repeats = 0.05 <= sample.distinct < 1.0
    return SOME_KEY * sample.fill * has_digits if repeats and not is_date else 0.0


def _list_share(sample: _Sample) -> float:
    return sum(bool(_LIST.fullmatch(text)) for text in sample.filled) / len(sample.filled)


def _item_variety(sample: _Sample) -> float:
    """How different the items of lists are: 1 for words, nearly 0 for tags."""
    items = [item for text in sample.filled for item in _ITEMS.findall(text)]
    return min(1.0, len(set(items)) / len(items) / WORD_VARIETY) if items else 0.0


_CONTENT_SCORES = {
    Content.TEXT: _text_score,
    Content.LABEL: _label_score,
    Content.TOKENS: _tokens_score,
    Content.TAGS: _tags_score,
    Content.KEY: _key_score,
}
