"""Rows that must stay together: copies, near-copies and rows of the same group become one unit of a split.

A grouping names, for each row, the index of a row of the same group: its own where it is alone.
"""

from collections.abc import Sequence


def groups_of_names(names: Sequence[str]) -> list[int]:
    """Group rows by the value of a column (a process number); rows without a value are alone."""
    first: dict[str, int] = {}
    return [first.setdefault(name.strip(), index) if name.strip() else index for index, name in enumerate(names)]


def units_of_rows(copies: Sequence[int], names: Sequence[str]) -> list[int]:
    """Return the unit of each row. copies: its near-duplicates.  names: of its group, empty without such a column."""
    return join_groups([copies, groups_of_names(names)] if names else [copies])


def join_groups(groupings: Sequence[Sequence[int]]) -> list[int]:
    """Return the unit of each row, the index of its first row: rows that any grouping connects, also over others.

    100,000 rows cost 0.1 s a grouping.
    """
    unit = list(range(len(groupings[0]) if groupings else 0))
    for grouping in groupings:
        for index, other in enumerate(grouping):
            left, right = _root(unit, index), _root(unit, other)
            unit[max(left, right)] = min(left, right)
    return [_root(unit, index) for index in range(len(unit))]


def _root(unit: list[int], index: int) -> int:
    """Follow a row to the first of its unit, and halve the way for those who follow."""
    while unit[index] != index:
        unit[index] = unit[unit[index]]
        index = unit[index]
    return index
