"""From a spreadsheet to a judged canonical table: read, match columns, check, summarise, write.

`check_in_sandbox` is what the portal calls; the rest runs in the child.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.columns import found_headers, header_of, match_columns, take_cells
from bert_training.data.digest import file_digest
from bert_training.data.parquet import write_table
from bert_training.data.process_limits import UPLOAD_LIMITS, ProcessLimits
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.spreadsheet import read_sheet
from bert_training.data.table import ROW, Columns
from bert_training.tasks import TASKS
from bert_training.tasks.spec import TaskSpec

PREVIEW_ROWS = 20
PREVIEW_CHARACTERS = 500

ColumnMapping = Mapping[str, str | Sequence[str]]


@dataclass
class Report:
    """What a check found. `table_sha256` is empty unless the file is valid and a table was written.

    rows: rows of the canonical table.  columns: task column -> header found.  columns_found: all headers.
    preview: the first canonical rows, {"row": number, task column: text}.
    """

    valid: bool = False
    rows: int = 0
    sheet: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    columns_found: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    table_sha256: str = ""
    table_bytes: int = 0
    preview: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what as_dict wrote."""
        problems = {name: [Problem(**problem) for problem in values[name]] for name in ("errors", "warnings")}
        return cls(**{**values, **problems})


def check_in_sandbox(
    path: Path | str,
    *,
    task: str,
    sheet: str | None = None,
    columns: ColumnMapping | None = None,
    display_name: str = "",
    table_path: Path | str | None = None,
    limits: ProcessLimits = UPLOAD_LIMITS,
) -> Report:
    """Check a stranger's file in a child process with limits; a file that breaks them is `file_too_complex`.

    table_path: where the canonical table goes if the file is valid; without it nothing is kept.
    """
    arguments = {
        "path": str(Path(path).resolve()),
        "task": task,
        "sheet": sheet,
        "columns": None if columns is None else dict(columns),
        "display_name": display_name,
        "table_path": None if table_path is None else str(Path(table_path).resolve()),
    }
    try:
        return Report.from_dict(run_in_sandbox(f"{__name__}.check_to_dict", arguments, limits=limits))
    except DatasetRefused as refusal:
        if table_path is not None:
            Path(table_path).unlink(missing_ok=True)  # the child may have died while it wrote
        return Report(errors=[refusal.problem], counts={refusal.problem.code: 1})


def check_to_dict(**arguments: Any) -> dict[str, Any]:
    """Run check_file for a caller that speaks JSON."""
    return check_file(**arguments).as_dict()


def check_file(
    path: Path | str,
    *,
    task: str,
    sheet: str | None = None,
    columns: ColumnMapping | None = None,
    display_name: str = "",
    table_path: Path | str | None = None,
) -> Report:
    """Check a file in this process. The same file, task, sheet and columns give the same table, byte for byte."""
    spec, problems, report = TASKS[task], Problems(), Report()
    try:
        found_sheet = read_sheet(Path(path), problems, sheet=sheet, display_name=display_name)
        report.sheet, report.columns_found = found_sheet.name, found_headers(found_sheet)
        positions = match_columns(found_sheet, spec.columns, columns)
        report.columns = {name: header_of(found_sheet, places) for name, places in positions.items()}
        table = spec.check(take_cells(found_sheet, positions, problems), problems)
        _describe(report, spec, table)
    except DatasetRefused as refusal:
        problems.error(refusal.problem)
    _conclude(report, problems)
    if report.valid and table_path is not None:
        write_table(table, Path(table_path))
        report.table_sha256, report.table_bytes = file_digest(table_path), Path(table_path).stat().st_size
    return report


def _describe(report: Report, spec: TaskSpec, table: Columns) -> None:
    report.rows = len(table[ROW])
    report.summary = spec.summarize(table)
    report.preview = [
        {name: _shown(values[index]) for name, values in table.items()}
        for index in range(min(PREVIEW_ROWS, report.rows))
    ]


def _conclude(report: Report, problems: Problems) -> None:
    report.valid = problems.error_count == 0
    report.errors, report.warnings = problems.errors, problems.warnings
    report.counts = dict(problems.counts)
    report.summary["warnings"] = [problem.as_dict() for problem in problems.warnings]


def _shown(value: Any) -> Any:
    """Write one canonical value for the page: lists with spaces between, long texts cut."""
    if isinstance(value, int):
        return value
    return (" ".join(value) if isinstance(value, list) else str(value))[:PREVIEW_CHARACTERS]
