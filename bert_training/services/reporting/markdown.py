"""Writes a report as Markdown: plain enough for any reader, tables instead of pictures."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from bert_training.services.reporting.blocks import Block, Bullets, Facts, Grid, Paragraph, Picture, Report

# What Markdown would take for more than a letter: anywhere, and where a text begins.
_SIGNS = re.compile(r"([\\`*_\[\]|~])")
_BEGINNING = re.compile(r"^(\d*)([#+\-.)])(?=\s|#)")


def to_markdown(report: Report) -> str:
    """Return the whole text."""
    lines = [f"# {_plain(report.title)}", "", _plain(report.subtitle)]
    for section in report.sections:
        lines += ["", f"## {_plain(section.title)}"]
        for block in section.blocks:
            lines += ["", *_lines(block)]
    return "\n".join([*lines, "", "---", "", _plain(report.footer), ""])


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            text = _plain(block.text)
            yield f"**{text}**" if block.is_strong else text
        case Bullets():
            yield from (f"- {_plain(item)}" for item in block.items)
        case Facts():
            yield from (f"- {_plain(term)}: {_plain(value)}" for term, value in block.entries)
        case Grid():
            yield from _table(block.heads, block.rows, words=block.words)
        case Picture(chart):
            yield f"### {_plain(chart.title)}"
            if chart.table is not None:
                yield ""
                yield from _table(chart.table.heads, chart.table.rows, words=1)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: int) -> Iterator[str]:
    yield _row(heads)
    yield _row(["---" if place < words else "---:" for place in range(len(heads))], is_plain=True)
    yield from map(_row, rows)


def _row(cells: Sequence[str], *, is_plain: bool = False) -> str:
    return f"| {' | '.join(cells if is_plain else map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Write a text so that it reads the same as Markdown: in one line, signs escaped, those of HTML as HTML does."""
    in_one_line = _SIGNS.sub(r"\\\1", " ".join(text.split()))
    return escape(_BEGINNING.sub(r"\1\\\2", in_one_line), quote=False)
