"""Finds a task's columns in the header of a sheet and takes their cells out as text.

Headers match trimmed, without regard to case and accents; other usual names are the columns' aliases.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Never, Protocol

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt, is_blank, normalized
from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.doctor.cell_problems import report_columns, report_hidden
from bert_training.data.doctor.column_values import take_column
from bert_training.data.doctor.sheet_flags import flag_cells
from bert_training.data.reading.header import header_below, move_header
from bert_training.data.reading.kinds import WITH_CELL_NAMES
from bert_training.data.reading.sheet import Sheet, no_rows
from bert_training.data.repairs import NOTHING, Fix, Recipe
from bert_training.data.suggestions import Content
from bert_training.data.table import GROUP, Cells, column_letter

Mapped = Mapping[str, str | Sequence[str]]


class WantedColumn(Protocol):
    """What a task says of a column (tasks.spec.Column)."""

    @property
    def name(self) -> str: ...
    @property
    def header(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class GroupColumn:
    """The column that every task takes beside its own, only when it is named: what must stay in one split."""

    name: str = GROUP
    header: str = GROUP
    aliases: tuple[str, ...] = ("grupo", "processo", "numero do processo", "n processo", "process")
    content: Content = Content.KEY


def match_columns(sheet: Sheet, wanted: Sequence[WantedColumn], mapping: Mapped | None = None) -> dict[str, list[int]]:
    """Return task column -> positions in the header; several positions are joined.

    mapping: task column -> header, or headers to join; columns that it leaves out are found by name. It may name
    GROUP too.
    Raises DatasetRefused (missing_column, duplicate_column, unknown_column, unsupported_column, column_taken_twice).
    """
    mapping = mapping or {}
    answer = wanted[-1].name
    wanted = [*wanted, GroupColumn()] if GROUP in mapping else list(wanted)
    unknown = sorted(set(mapping) - {column.name for column in wanted})
    if unknown:
        message = gettext_noop("The task has no column %(column)s; it has %(wanted)s.")
        names = ", ".join(column.name for column in wanted)
        _refuse("unknown_column", message, column=excerpt(unknown[0]), wanted=names)
    positions = _positions(sheet.header)
    found = {column.name: [_find(sheet, positions, names) for names in _names(column, mapping)] for column in wanted}
    _check_readable(sheet, found)
    _check_answer(sheet, found, answer)
    return found


def find_header(
    sheet: Sheet, wanted: Sequence[WantedColumn], problems: Problems, *, mapping: Mapped | None = None
) -> Sheet:
    """Take the row that names the wanted columns as the header (Fix.FIND_HEADER); without one the sheet stays."""
    index = header_below(sheet, [names for column in wanted for names in _names(column, mapping or {})])
    if index is None:
        return sheet
    problems.repaired(Fix.FIND_HEADER, index + 1)
    return move_header(sheet, index)


def take_cells(sheet: Sheet, found: Mapping[str, list[int]], problems: Problems, recipe: Recipe = NOTHING) -> Cells:
    """Take the matched columns as clean text; notes what the sheet and its reading did to cells."""
    if not sheet.rows:
        raise no_rows(sheet.name)
    taken = {name: take_column(sheet, positions, recipe) for name, positions in found.items()}
    texts = {name: values.texts for name, values in taken.items()}
    has_names = sheet.kind in WITH_CELL_NAMES
    cells = Cells(
        sheet=sheet.name,
        rows=sheet.row_numbers,
        texts=texts,
        headers={name: header_of(sheet, positions) for name, positions in found.items()},
        letters={
            name: column_letter(sheet.first_column + positions[0]) if len(positions) == 1 and has_names else ""
            for name, positions in found.items()
        },
        flags=flag_cells(sheet, found, texts),
    )
    report_hidden(sheet, found, cells, problems)
    report_columns(cells, taken, problems)
    return cells


def header_of(sheet: Sheet, positions: list[int]) -> str:
    """Name the header that a task column was found under; joined ones with a plus."""
    return " + ".join(sheet.header[position] for position in positions)


def found_headers(sheet: Sheet) -> list[str]:
    """Return the headers that are not blank."""
    return [header for header in sheet.header if not is_blank(header)]


def _names(column: WantedColumn, mapping: Mapped) -> list[list[str]]:
    """Return for each header to be found the names it may have: those that were chosen, or the usual ones."""
    headers = mapping.get(column.name, ())
    chosen = [header for header in ([headers] if isinstance(headers, str) else headers) if not is_blank(header)]
    return [[header] for header in chosen] or [[column.header, *column.aliases]]


def _positions(header: Iterable[str]) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(header):
        positions.setdefault(normalized(name), []).append(position)
    return positions


def _find(sheet: Sheet, positions: dict[str, list[int]], names: list[str]) -> int:
    """Return the position of the first of these names that the header has."""
    for name in names:
        candidates = positions.get(normalized(name), [])
        exact = [position for position in candidates if sheet.header[position] == name]
        if len(candidates) == 1 or len(exact) == 1:
            return (exact or candidates)[0]
        if candidates:
            message = gettext_noop("The sheet %(sheet)s has %(count)d columns named %(column)s.")
            repair = gettext_noop("Rename or delete all but one of them.")
            _refuse("duplicate_column", message, repair, sheet=sheet.name, count=len(candidates), column=excerpt(name))
    _refuse_missing(sheet, names)


def _check_readable(sheet: Sheet, found: Mapping[str, list[int]]) -> None:
    for position in (position for positions in found.values() for position in positions):
        if position in sheet.unreadable:
            message = gettext_noop("The column %(column)s is of the type %(type)s, which is no text.")
            repair = gettext_noop("Store texts, numbers or lists of them in it.")
            column = sheet.header[position]
            _refuse("unsupported_column", message, repair, column=column, type=excerpt(sheet.unreadable[position]))


def _check_answer(sheet: Sheet, found: Mapping[str, list[int]], answer: str) -> None:
    """Refuse an answer that is learned from itself, or as the group: each class would be in one split only."""
    for name, positions in found.items():
        shared = [position for position in positions if position in found[answer]]
        if name != answer and shared:
            message = gettext_noop("The column %(column)s is chosen twice: for %(answer)s and for %(other)s.")
            repair = gettext_noop("Choose another column for one of them.")
            column = excerpt(sheet.header[shared[0]])
            _refuse("column_taken_twice", message, repair, column=column, answer=answer, other=name)


def _refuse_missing(sheet: Sheet, names: list[str]) -> Never:
    message = gettext_noop("The sheet %(sheet)s has no column %(column)s; it has: %(found)s.")
    repair = gettext_noop("Rename the column or choose it on the form.")
    values: dict[str, str | int] = {
        "sheet": excerpt(sheet.name),
        "column": excerpt(names[0]),
        "found": ", ".join(excerpt(header, 40) for header in found_headers(sheet)[:30]),
    }
    fix, below = "", header_below(sheet, [names])
    if below is not None:
        fix, values["header_row"] = Fix.FIND_HEADER, sheet.row_numbers[below]
        repair = gettext_noop("Row %(header_row)d looks like the header: delete the rows above it.")
    problem = Problem("missing_column", message, repair, values, sheet=sheet.name, column=names[0], fix=fix)
    raise DatasetRefused(problem)


def _refuse(code: str, message: str, repair: str = "", **values: str | int) -> Never:
    raise DatasetRefused(Problem(code, message, repair, values))
