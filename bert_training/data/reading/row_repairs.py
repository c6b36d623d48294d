"""The one-click repairs of whole rows: merged cells are filled, hidden rows left out."""

from bisect import bisect_left, bisect_right
from dataclasses import replace

from bert_training.data.checks import Problems
from bert_training.data.reading.sheet import Sheet
from bert_training.data.repairs import Fix, Recipe


def repair_rows(sheet: Sheet, recipe: Recipe, problems: Problems) -> Sheet:
    """Do what the recipe says and state it; what was repaired is no longer listed as merged or hidden."""
    if Fix.FILL_MERGED in recipe and sheet.merged:
        problems.repaired(Fix.FILL_MERGED, _fill_merged(sheet))
        sheet = replace(sheet, merged=[])
    if Fix.LEAVE_OUT_HIDDEN in recipe and sheet.hidden_rows:
        problems.repaired(Fix.LEAVE_OUT_HIDDEN, len(sheet.hidden_rows))
        sheet = _leave_out_hidden(sheet)
    return sheet


def _fill_merged(sheet: Sheet) -> int:
    """Give every cell of a merged area the value of its first; areas that begin in the header are titles.

    Returns how many cells were filled.
    """
    filled = 0
    for (top, left), (bottom, right) in sheet.merged:
        first = bisect_left(sheet.row_numbers, top + 1)
        after = bisect_right(sheet.row_numbers, bottom + 1)
        if first == len(sheet.rows) or sheet.row_numbers[first] != top + 1:
            continue
        columns = range(max(0, left - sheet.first_column), min(right + 1 - sheet.first_column, len(sheet.header)))
        if not columns:
            continue
        value = sheet.rows[first][columns[0]]
        for index in range(first, after):
            row = list(sheet.rows[index])
            for column in columns:
                row[column] = value
            sheet.rows[index] = row
        filled += (after - first) * len(columns) - 1
    return filled


def _leave_out_hidden(sheet: Sheet) -> Sheet:
    keep = [index for index, number in enumerate(sheet.row_numbers) if number not in sheet.hidden_rows]
    return replace(
        sheet,
        row_numbers=[sheet.row_numbers[index] for index in keep],
        rows=[sheet.rows[index] for index in keep],
        hidden_rows=frozenset(),
    )
