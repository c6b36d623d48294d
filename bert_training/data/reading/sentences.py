"""Reads CoNLL-style text: a word a line with its tag in the last column, a blank line between sentences.

Gives the columns `tokens` and `tags`; the row number is the line on which the sentence begins.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problem, Problems
from bert_training.data.reading.encoding import Encoding, open_text
from bert_training.data.reading.kinds import FileKind
from bert_training.data.reading.lines import bounded_lines
from bert_training.data.reading.sheet import Rows, Sheet, no_rows

HEADER = ("tokens", "tags")
DOCUMENT_START = "-DOCSTART-"
SAMPLE_LINES = 200
MIN_SHARE = 0.9  # of the first lines that must look like a word with its tag

_SPACES = re.compile(r"[ \t]+")  # not \s: a no-break space belongs to a word
_TAG = re.compile(r"O|[BIESLU][-_]\S+")

Line = tuple[int, list[str]]  # number, columns; no columns for a line between sentences


def read_sentences(path: Path, name: str, encoding: Encoding, problems: Problems) -> Sheet:
    """Read the sentences. A line with more or fewer columns than the first is an error; its sentence is left out."""
    rows = Rows()
    with open_text(path, encoding) as file:
        for sentence in _sentences(_lines(bounded_lines(file))):
            width = len(sentence[0][1])
            broken = [(number, columns) for number, columns in sentence if len(columns) != width or width < 2]
            for number, columns in broken:
                problems.error(_ragged(name, number, columns))
            if not broken:
                words, tags = ([columns[at] for _, columns in sentence] for at in (0, -1))
                rows.add(sentence[0][0], [words, tags])
    if not len(rows) and not problems.error_count:
        raise no_rows(name)
    return Sheet(
        path=path,
        name=name,
        index=0,
        first_column=0,
        header=list(HEADER),
        row_numbers=rows.numbers,
        rows=rows.values,
        kind=FileKind.CONLL,
        encoding=encoding.name,
    )


def looks_like_sentences(sample: str) -> bool:
    """Tell whether a text is words with tags and blank lines between sentences."""
    lines = sample.splitlines()[:SAMPLE_LINES]
    columns = [found for _, found in _lines(lines) if found]
    tagged = sum(len(found) > 1 and _TAG.fullmatch(found[-1]) is not None for found in columns)
    return len(columns) < len(lines) and tagged > 0 and tagged >= MIN_SHARE * len(columns)


def _lines(lines: Iterable[str]) -> Iterator[Line]:
    for number, line in enumerate(lines, start=1):
        text = line.strip(" \t\r\n")
        yield number, _SPACES.split(text) if text else []


def _sentences(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Gather the lines of a sentence; comments stand before its first word."""
    sentence: list[Line] = []
    for number, columns in lines:
        if columns and columns[0] != DOCUMENT_START:
            if sentence or not _is_comment(columns):
                sentence.append((number, columns))
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _is_comment(columns: list[str]) -> bool:
    """Tell a comment from the word # with its tag."""
    return columns[0].startswith("#") and (len(columns) != 2 or _TAG.fullmatch(columns[-1]) is None)


def _ragged(name: str, number: int, columns: list[str]) -> Problem:
    message = gettext_noop("Line %(line)d has %(cells)d columns; every line needs a word first and its tag last.")
    repair = gettext_noop("Write a word and its tag with a space or tab between, and a blank line after each sentence.")
    values: dict[str, str | int] = {"line": number, "cells": len(columns)}
    return Problem(
        "ragged_row", message, repair, values, sheet=name, row=number, excerpt=excerpt(" ".join(columns), 60)
    )
