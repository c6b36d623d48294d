"""What a report consists of, whatever it is written as. Texts are plain: a writer escapes them for its own form."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bert_training.charts.shapes import Chart


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; is_strong: the one that matters most in its section."""

    text: str
    is_strong: bool = False


@dataclass(frozen=True)
class Bullets:
    """Things that belong together, one a line."""

    items: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Terms with their values; is_digest: values are digests, which are compared rather than read."""

    entries: Sequence[tuple[str, str]]
    is_digest: bool = False


@dataclass(frozen=True)
class Grid:
    """A table. words: how many columns on the left hold words; the others hold numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


@dataclass(frozen=True)
class Picture:
    """A chart; where pictures cannot stand, the table behind it does."""

    chart: Chart


Block = Paragraph | Bullets | Facts | Grid | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Report:
    """A whole report. footer: on each page, so that a lost page can be put back; language: a code of settings."""

    title: str
    subtitle: str
    footer: str
    language: str
    sections: list[Section] = field(default_factory=list)
