"""Finds texts that occur more than once: with the same answer they are copies, with another they contradict it.

An answer is what the network shall give for a text: its label, or the tags of its words.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problem, Problems
from bert_training.data.repairs import Fix, Recipe
from bert_training.data.table import PART_STRIDE, Cells

ANSWERS_NAMED = 3
ANSWER_CHARACTERS = 40


@dataclass(frozen=True)
class UsableRows:
    """The rows of a sheet that have no error. indexes: where each stands in the cells; text_column, answer_column: of
    the cells, to name the place of a finding.
    """

    cells: Cells
    indexes: Sequence[int]
    texts: Sequence[str]
    answers: Sequence[str]
    text_column: str
    answer_column: str


@dataclass(frozen=True)
class Repeats:
    """Positions among the rows. copies: each later row -> the first with the same text and answer.

    contradictions: each row of a text that has several answers -> the first rows of its other answers.
    """

    copies: dict[int, int] = field(default_factory=dict)
    contradictions: dict[int, list[int]] = field(default_factory=dict)


def find_repeats(texts: Sequence[str], answers: Sequence[str]) -> Repeats:
    """Compare texts to the letter. 132,373 different texts cost 30 ms."""
    repeats = Repeats()
    if len(set(texts)) == len(texts):
        return repeats
    first_of: dict[str, int] = {}
    firsts = [first_of.setdefault(text, position) for position, text in enumerate(texts)]
    repeated = {first for position, first in enumerate(firsts) if first != position}
    by_answer: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, first in enumerate(firsts):
        if first in repeated:
            by_answer[first][answers[position]].append(position)
    for positions_of in by_answer.values():
        _sort_out(positions_of, repeats)
    return repeats


def _sort_out(positions_of: dict[str, list[int]], repeats: Repeats) -> None:
    """Note copies and contradictions of one text. positions_of: answer -> positions."""
    for answer, positions in positions_of.items():
        repeats.copies.update((position, positions[0]) for position in positions[1:])
        if len(positions_of) > 1:
            others = (other[0] for name, other in positions_of.items() if name != answer)
            named = list(islice(others, ANSWERS_NAMED))
            repeats.contradictions.update((position, named) for position in positions)


def settle_repeats(rows: UsableRows, problems: Problems, recipe: Recipe) -> list[int]:
    """Note copies and contradictions, or leave them out where the recipe says so; returns the indexes that stay.

    Of copies in several files the one for the test stays, then that for validation: nobody thins out their own test.
    """
    rows = _strongest_first(rows) if rows.cells.parts else rows
    repeats = find_repeats(rows.texts, rows.answers)
    contradictions = sorted(repeats.contradictions)
    left_out: set[int] = set()
    if Fix.LEAVE_OUT_CONTRADICTIONS in recipe:
        left_out.update(contradictions)
        problems.repaired(Fix.LEAVE_OUT_CONTRADICTIONS, len(contradictions))
    else:
        found = repeats.contradictions
        problems.warnings_at(contradictions, lambda position: _contradiction(rows, position, found[position]))
    copies = sorted(repeats.copies.keys() - left_out)
    if Fix.LEAVE_OUT_DUPLICATES in recipe:
        left_out.update(copies)
        problems.repaired(Fix.LEAVE_OUT_DUPLICATES, len(copies))
    else:
        problems.warnings_at(copies, lambda position: _copy(rows, position, repeats.copies[position]))
    return sorted(index for position, index in enumerate(rows.indexes) if position not in left_out)


def _strongest_first(rows: UsableRows) -> UsableRows:
    """Put the rows of the test file before those for validation, and the file itself last; else in their order."""
    order = sorted(range(len(rows.indexes)), key=lambda position: -_part(rows, position))
    indexes = [rows.indexes[position] for position in order]
    texts, answers = ([values[position] for position in order] for values in (rows.texts, rows.answers))
    return replace(rows, indexes=indexes, texts=texts, answers=answers)


def _copy(rows: UsableRows, position: int, first: int) -> Problem:
    message = gettext_noop("The text repeats row %(first)d.")
    if _part(rows, position) != _part(rows, first):
        message = gettext_noop("The text repeats row %(first)d of another file of this upload.")
    return rows.cells.problem(
        "duplicate_texts",
        message,
        column=rows.text_column,
        index=rows.indexes[position],
        repair=gettext_noop("Leave it out: a repeated text in training and test makes figures look too good."),
        values={"first": rows.cells.rows[rows.indexes[first]] % PART_STRIDE},
        fix=Fix.LEAVE_OUT_DUPLICATES.value,
    )


def _contradiction(rows: UsableRows, position: int, others: Sequence[int]) -> Problem:
    message = gettext_noop("The same text has another answer elsewhere: %(others)s.")
    if any(_part(rows, position) != _part(rows, other) for other in others):
        message = gettext_noop("The same text has another answer in another file of this upload: %(others)s.")
    return rows.cells.problem(
        "conflicting_labels",
        message,
        column=rows.answer_column,
        index=rows.indexes[position],
        repair=gettext_noop("Decide on one answer for the text; no model can learn both."),
        values={"others": ", ".join(_place(rows, other) for other in others)},
        fix=Fix.LEAVE_OUT_CONTRADICTIONS.value,
    )


def _part(rows: UsableRows, position: int) -> int:
    return rows.cells.rows[rows.indexes[position]] // PART_STRIDE


def _place(rows: UsableRows, position: int) -> str:
    """Name an answer and its cell, or its row where cells have no names: "x" (B17)."""
    problem = rows.cells.problem("", "", column=rows.answer_column, index=rows.indexes[position])
    return f'"{excerpt(rows.answers[position], ANSWER_CHARACTERS)}" ({problem.cell or problem.row})'
