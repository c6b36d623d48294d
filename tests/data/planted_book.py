"""A workbook in the making into which faults are planted: two columns of texts, written cell by cell as XML."""

import csv
import json
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bert_training.tasks import TASKS
from tests.checking import TEXT
from tests.data.packages import NAMESPACE, SHEET_PART, cell, write_package

FIRST_ROW = 2  # below the header
OFTEN = 10  # a class or type of so many rows stands the loss of a few


@dataclass
class Book:
    """rows: the values below the header.  drawn: cell -> XML in place of its value.  others: parts of the package."""

    header: list[str]
    rows: list[list[str]]
    answers: list[Collection[str]]  # of each row: its label, or the types of its entities
    avoided: frozenset[int] = frozenset()  # rows in which something is found before anything was planted
    title: list[list[str]] = field(default_factory=list)  # rows above the header
    drawn: dict[str, str] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    free: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Find the rows that can be harmed without touching another: their text is like no other, their classes big."""
        texts = Counter(text for text, _ in self.rows)
        kinds = Counter(kind for answer in self.answers for kind in answer)
        self.free = [
            number
            for number, ((text, _), answer) in enumerate(zip(self.rows, self.answers, strict=True), FIRST_ROW)
            if texts[text] == 1 and number not in self.avoided and all(kinds[kind] >= OFTEN for kind in answer)
        ]

    def pick(self, chance: random.Random, count: int = 1) -> list[int]:
        """Choose some rows, in their order, and never the same twice."""
        chosen = sorted(chance.sample(self.free, count))
        self.free = [row for row in self.free if row not in chosen]
        return chosen

    def __getitem__(self, reference: str) -> str:
        """Return the value of a cell such as B17."""
        return self.rows[int(reference[1:]) - FIRST_ROW][ord(reference[0]) - ord("A")]

    def __setitem__(self, reference: str, value: str) -> None:
        self.rows[int(reference[1:]) - FIRST_ROW][ord(reference[0]) - ord("A")] = value

    def write(self, path: Path) -> Path:
        """Write it as an .xlsx."""
        columns = "".join(f'<col min="{at}" max="{at}" width="9" hidden="1"/>' for at in sorted(self.hidden_columns))
        merges = "".join(f'<mergeCell ref="{area}"/>' for area in self.merged)
        sheet = (
            f"<worksheet {NAMESPACE}>{f'<cols>{columns}</cols>' if columns else ''}"
            f"<sheetData>{''.join(self._lines())}</sheetData>{f'<mergeCells>{merges}</mergeCells>' if merges else ''}"
            "</worksheet>"
        )
        return write_package(path, {SHEET_PART: sheet, "xl/styles.xml": _STYLES})

    def _lines(self) -> Iterator[str]:
        for number, values in enumerate([*self.title, self.header, *self.rows], start=1):
            references = [f"{letter}{number}" for letter in "ABCDEFG"[: len(values)]]
            cells = (self.drawn.get(at) or cell(at, text) for at, text in zip(references, values, strict=True))
            hidden = ' hidden="1"' if number in self.hidden_rows else ""
            yield f'<row r="{number}"{hidden}>{"".join(cells)}</row>'


# Style 1 is a date.
_STYLES = (
    f'<styleSheet {NAMESPACE}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>"
)


@cache
def sample_rows(task: str) -> list[list[str]]:
    """Return the rows of the sample that comes with the task, the header first."""
    with TASKS[task].sample_path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def book_of(rows: list[list[str]], task: str, avoided: Iterable[int] = ()) -> Book:
    """Make a book of rows, of which no other test keeps a part."""
    answers = [answers_of(task, answer) for _, answer in rows[1:]]
    return Book(list(rows[0]), [list(row) for row in rows[1:]], answers, frozenset(avoided))


def answers_of(task: str, answer: str) -> Collection[str]:
    """Return the label, or the types of the entities."""
    return [answer] if task == TEXT else {tag[2:] for tag in json.loads(answer)} - {""}
