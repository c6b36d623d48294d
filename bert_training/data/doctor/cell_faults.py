"""What is wrong with a row, found before it is known how many rows share it: the report describes only the first."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bert_training.data.checks import Problem, Problems, Values
from bert_training.data.table import Cells


@dataclass(frozen=True)
class CellFault:
    """One finding without its place but for the column. Fields as in data.checks.Problem."""

    code: str
    column: str
    message: str
    repair: str = ""
    values: Values = field(default_factory=dict)
    fix: str = ""

    def at(self, cells: Cells, index: int) -> Problem:
        """Describe it in the cell of a row."""
        return cells.problem(
            self.code,
            self.message,
            column=self.column,
            index=index,
            repair=self.repair,
            values=self.values,
            fix=self.fix,
        )


def report_errors(cells: Cells, faults: Mapping[int, CellFault], problems: Problems) -> None:
    """Note an error for each row (index -> fault), code by code."""
    for indexes in _by_code(faults):
        problems.errors_at(indexes, lambda index: faults[index].at(cells, index))


def report_warnings(cells: Cells, faults: Mapping[int, CellFault], problems: Problems) -> None:
    """Note a warning for each row (index -> fault), code by code."""
    for indexes in _by_code(faults):
        problems.warnings_at(indexes, lambda index: faults[index].at(cells, index))


def _by_code(faults: Mapping[int, CellFault]) -> list[list[int]]:
    indexes: defaultdict[str, list[int]] = defaultdict(list)
    for index, fault in sorted(faults.items()):
        indexes[fault.code].append(index)
    return list(indexes.values())
