"""Tells of a sheet's cells why they cannot be used: error, formula without a value, merged, too long.

Asks the sheet's bytes only where a matched column has blank cells: a clean sheet costs a look at each text.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from bert_training.data.cells import is_blank
from bert_training.data.reading.cell_flags import find_flagged_cells
from bert_training.data.reading.kinds import FileKind, cell_limit
from bert_training.data.reading.sheet import Area, Sheet
from bert_training.data.table import CellFlag, column_letter

Flags = dict[tuple[str, int], CellFlag]


def flag_cells(sheet: Sheet, found: Mapping[str, list[int]], texts: Mapping[str, list[str]]) -> Flags:
    """Return (task column, index) -> flag. found: task column -> positions in the header; texts: as they were taken."""
    return {**_merged(sheet, found, texts), **_without_value(sheet, found, texts), **_too_long(sheet, found, texts)}


def _without_value(sheet: Sheet, found: Mapping[str, list[int]], texts: Mapping[str, list[str]]) -> Flags:
    wanted = {
        column_letter(sheet.first_column + position): name
        for name, positions in found.items()
        for position in positions
        if not all(texts[name])
    }
    if not wanted or sheet.kind not in (FileKind.XLSX, FileKind.ODS):
        return {}
    index_of = {number: index for index, number in enumerate(sheet.row_numbers)}
    flagged = _flagged(sheet, frozenset(wanted))
    return {
        (wanted[letter], index_of[number]): flag for (letter, number), flag in flagged.items() if number in index_of
    }


def _flagged(sheet: Sheet, letters: frozenset[str]) -> dict[tuple[str, int], CellFlag]:
    """Return (column letter, row number) -> flag."""
    if sheet.kind == FileKind.XLSX:
        return find_flagged_cells(sheet.path, sheet.index, letters=letters)
    named = {(column_letter(sheet.first_column + at), row): flag for (row, at), flag in sheet.flags.items()}
    return {place: flag for place, flag in named.items() if place[0] in letters}


def _merged(sheet: Sheet, found: Mapping[str, list[int]], texts: Mapping[str, list[str]]) -> Flags:
    if not sheet.merged:
        return {}
    flags: Flags = {}
    for name, positions in found.items():
        starts, ends = _spans(sheet.merged, {sheet.first_column + position for position in positions})
        for index, text in enumerate(texts[name]):
            place = bisect_right(starts, sheet.row_numbers[index] - 1) - 1
            if place >= 0 and is_blank(text) and ends[place] >= sheet.row_numbers[index] - 1:
                flags[name, index] = CellFlag.MERGED
    return flags


def _spans(areas: Iterable[Area], columns: set[int]) -> tuple[list[int], list[int]]:
    """Return first and last row of each stretch of these columns that is merged, in order and without overlaps."""
    starts: list[int] = []
    ends: list[int] = []
    for (top, left), (bottom, right) in sorted(areas):
        if not any(left <= column <= right for column in columns):
            continue
        if ends and top <= ends[-1]:
            ends[-1] = max(ends[-1], bottom)
        else:
            starts.append(top)
            ends.append(bottom)
    return starts, ends


def _too_long(sheet: Sheet, found: Mapping[str, list[int]], texts: Mapping[str, list[str]]) -> Flags:
    """Flag cells above the limit of one cell; what several columns were joined to may be longer."""
    limit = cell_limit(sheet.kind)
    return {
        (name, index): CellFlag.TOO_LONG
        for name, positions in found.items()
        if len(positions) == 1 and max(map(len, texts[name]), default=0) > limit
        for index, text in enumerate(texts[name])
        if len(text) > limit
    }
