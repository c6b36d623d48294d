"""From a spreadsheet to a judged canonical table: read, match columns, check, summarise, write.

`check_in_sandbox` is what the portal calls; the rest runs in the child.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from bert_training.contract.enums import Split
from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt, is_blank, to_text
from bert_training.data.checks import DatasetRefused, Problem, ProblemGroup, Problems, open_lines
from bert_training.data.columns import GroupColumn, find_header, found_headers, header_of, match_columns, take_cells
from bert_training.data.digest import file_digest
from bert_training.data.memory import give_back
from bert_training.data.process_limits import UPLOAD_LIMITS, ProcessLimits
from bert_training.data.progress import stage, tell
from bert_training.data.reading.delimited import leave_out_unnamed
from bert_training.data.reading.sheet import Sheet
from bert_training.data.reading.spreadsheet import read_sheet
from bert_training.data.repairs import Fix, recipe_of
from bert_training.data.sandbox import OnProgress, run_in_sandbox
from bert_training.data.suggestions import suggest_columns
from bert_training.data.table import GROUP, PART_STRIDE, PARTS, ROW, ROW_ID, SPLIT, Cells, Columns, join_parts
from bert_training.data.writing.own_columns import take_row_ids, without_own
from bert_training.data.writing.row_match import continued_file
from bert_training.tasks import TASKS
from bert_training.tasks.spec import TaskSpec

PREVIEW_ROWS = 20
PREVIEW_CHARACTERS = 500
FIRST_ROWS = 5
# How far a check is after each part of it, as measured with 130,000 rows; and how far the reading of one file is.
READ_PERCENT, CHECKED_PERCENT, DESCRIBED_PERCENT = 60, 80, 90
ROWS_PERCENT = 80

ColumnMapping = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class CheckRequest:
    """What a file shall be read as.

    sheet: "" for the first visible one.  columns: task column, or "group", -> header, or headers to join.
    recipe: names of data.repairs.Fix.
    """

    task: str
    sheet: str = ""
    columns: ColumnMapping = field(default_factory=dict)
    recipe: Sequence[str] = ()


@dataclass
class Report:
    """What a check found. `table_sha256` is empty unless the file is valid and a table was written.

    errors, warnings: the first of them, in the order found.  groups: the first of each code, errors first.
    rows: rows of the canonical table.  columns: task column -> header found.  columns_found: all headers.
    preview: the first canonical rows, {"row": number, task column: text}.  sheets: those that can be chosen.
    suggestions: task column, or "group", -> headers that it could be, the likeliest first; none is applied.
    first_rows: the sheet's own, one text for each of columns_found.
    """

    valid: bool = False
    rows: int = 0
    sheet: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    columns_found: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    groups: list[ProblemGroup] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    table_sha256: str = ""
    table_bytes: int = 0
    preview: list[dict[str, Any]] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    suggestions: dict[str, list[str]] = field(default_factory=dict)
    first_rows: list[list[str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what as_dict wrote."""
        problems = {name: [Problem(**problem) for problem in values[name]] for name in ("errors", "warnings")}
        groups = [ProblemGroup.from_dict(group) for group in values["groups"]]
        return cls(**{**values, **problems, "groups": groups})


@dataclass(frozen=True)
class SourceFile:
    """A stranger's file on the disk, and what they call it."""

    path: Path
    display_name: str = ""


def check_in_sandbox(
    files: Mapping[Split, SourceFile],
    request: CheckRequest,
    *,
    table_path: Path | str | None = None,
    problems_path: Path | str | None = None,
    limits: ProcessLimits = UPLOAD_LIMITS,
    on_progress: OnProgress | None = None,
) -> Report:
    """Check a stranger's files in a child process with limits; one that breaks them is `file_too_complex`.

    files: the file itself under Split.TRAIN; those sent beside it for validation and test, if any, under theirs.
    table_path: where the canonical table goes if the files are valid; without it nothing is kept.
    problems_path: where all problems go, up to ALL_PROBLEMS, as JSON lines of Problem's fields and `is_error`.
    on_progress: called several times a second with the percentage that is done.
    """
    arguments = {
        "files": {split.value: [str(file.path.resolve()), file.display_name] for split, file in files.items()},
        "request": asdict(request),
        "table_path": None if table_path is None else str(Path(table_path).resolve()),
        "problems_path": None if problems_path is None else str(Path(problems_path).resolve()),
    }
    try:
        answer = run_in_sandbox(f"{__name__}.check_to_dict", arguments, limits=limits, on_progress=on_progress)
        return Report.from_dict(answer)
    except DatasetRefused as refusal:
        if table_path is not None:
            Path(table_path).unlink(missing_ok=True)  # the child may have died while it wrote
        return _refused(refusal.problem, problems_path)


def check_to_dict(files: dict[str, list[str]], request: dict[str, Any], **paths: str | None) -> dict[str, Any]:
    """Run check_files for a caller that speaks JSON."""
    sources = {Split(split): SourceFile(Path(path), name) for split, (path, name) in files.items()}
    return check_files(sources, CheckRequest(**request), **paths).as_dict()


def check_files(
    files: Mapping[Split, SourceFile],
    request: CheckRequest,
    *,
    table_path: Path | str | None = None,
    problems_path: Path | str | None = None,
) -> Report:
    """Check files in this process. The same files and request give the same table, byte for byte."""
    with open_lines(problems_path) as lines:
        problems = Problems(recipe_of(request.recipe), lines=lines)
        return _check(files, request, problems, table_path)


def _refused(problem: Problem, problems_path: Path | str | None) -> Report:
    """Report the one problem for which files are refused as a whole."""
    report = Report()
    with open_lines(problems_path) as lines:
        problems = Problems(lines=lines)
        problems.refusal(problem)
        _conclude(report, problems)
    return report


def _check(
    files: Mapping[Split, SourceFile], request: CheckRequest, problems: Problems, table_path: Path | str | None
) -> Report:
    spec, report = TASKS[request.task], Report()
    try:
        cells = join_parts(_take_parts(files, request, spec, problems, report))
        table = _with_reserved(spec.check(cells, problems, recipe_of(request.recipe)), cells)
        tell(CHECKED_PERCENT)
        if not table[ROW] and not problems.error_count:
            raise DatasetRefused(
                Problem("no_rows", gettext_noop("No row is left that can be used."), sheet=cells.sheet)
            )
        _describe(report, spec, table)
        tell(DESCRIBED_PERCENT)
    except DatasetRefused as refusal:
        problems.refusal(refusal.problem)
    _conclude(report, problems)
    if report.valid and table_path is not None:
        _write(table, Path(table_path))
        report.table_sha256, report.table_bytes = file_digest(table_path), Path(table_path).stat().st_size
    return report


def _take_parts(
    files: Mapping[Split, SourceFile], request: CheckRequest, spec: TaskSpec, problems: Problems, report: Report
) -> dict[Split, Cells]:
    """Take the cells of each file; what is wrong with one while it is read is said of that file."""
    parts: dict[Split, Cells] = {}
    share = READ_PERCENT / len(files)
    for split in (part for part in PARTS if part in files):
        problems.part = "" if split == Split.TRAIN else split.value
        with stage(share * len(parts), share * (len(parts) + 1)):
            parts[split] = _take(files[split], request, spec, problems, report)
            tell(100)
    problems.part = ""
    return parts


def _take(file: SourceFile, request: CheckRequest, spec: TaskSpec, problems: Problems, report: Report) -> Cells:
    """Read one file and take its columns out; the report names sheet and columns of the first."""
    recipe = recipe_of(request.recipe)
    found = _read(file, request, problems, is_first=not report.columns_found)
    tell(ROWS_PERCENT)
    if Fix.FIND_HEADER in recipe:
        found = find_header(found, spec.columns, problems, mapping=request.columns)
    sheet = without_own(found)
    is_first = not report.columns_found
    if is_first:
        _show_sheet(report, sheet, spec)
    positions = match_columns(sheet, spec.columns, request.columns)
    if sheet.has_short_header:
        found = leave_out_unnamed(found, problems)
        sheet = without_own(found)
    if Fix.SWAP_COLUMNS in recipe:
        positions = _swapped(positions, spec)
        problems.repaired(Fix.SWAP_COLUMNS, len(sheet.rows))
    if is_first:
        report.columns = {name: header_of(sheet, places) for name, places in positions.items()}
    return replace(take_cells(sheet, positions, problems, recipe), row_ids=take_row_ids(found))


def _read(file: SourceFile, request: CheckRequest, problems: Problems, *, is_first: bool) -> Sheet:
    """Read the sheet that was named. A file sent beside the first may call its own otherwise: nobody can name that."""
    read = partial(read_sheet, file.path, problems, display_name=file.display_name, recipe=recipe_of(request.recipe))
    try:
        return read(sheet=request.sheet or None)
    except DatasetRefused as refusal:
        if is_first or refusal.problem.code != "sheet_not_found":
            raise
    return read()


def _show_sheet(report: Report, sheet: Sheet, spec: TaskSpec) -> None:
    """Note what somebody needs to say which column is which, before any column is looked for."""
    report.sheet, report.columns_found = sheet.name, found_headers(sheet)
    report.sheets = list(sheet.sheets)
    report.suggestions = suggest_columns(sheet.header, sheet.rows, (*spec.columns, GroupColumn()))
    report.first_rows = [
        [excerpt(to_text(value)) for name, value in zip(sheet.header, row, strict=False) if not is_blank(name)]
        for row in sheet.rows[:FIRST_ROWS]
    ]


def _swapped(positions: dict[str, list[int]], spec: TaskSpec) -> dict[str, list[int]]:
    """Let the task's two columns change places."""
    first, second = (column.name for column in spec.columns)
    return {**positions, first: positions[second], second: positions[first]}


def _with_reserved(table: Columns, cells: Cells) -> Columns:
    """Add what the upload has beside the task's columns: what steers the split, and the ids of earlier rows."""
    if GROUP in cells.texts:
        group_of = dict(zip(cells.rows, cells.texts[GROUP], strict=True))
        table[GROUP] = [group_of[row] for row in table[ROW]]
    if cells.row_ids:
        id_of = dict(zip(cells.rows, cells.row_ids, strict=True))
        table[ROW_ID] = [id_of[row] for row in table[ROW]]
    if cells.parts:
        table[SPLIT] = [PARTS[row // PART_STRIDE].value for row in table[ROW]]
    return table


def _describe(report: Report, spec: TaskSpec, table: Columns) -> None:
    report.rows = len(table[ROW])
    report.summary = spec.summarize(table)
    if file := continued_file(table.get(ROW_ID, [])):
        report.summary["continues"] = file
    report.preview = [
        {name: _shown(values[index]) for name, values in table.items()}
        for index in range(min(PREVIEW_ROWS, report.rows))
    ]


def _conclude(report: Report, problems: Problems) -> None:
    report.valid = problems.error_count == 0
    report.errors, report.warnings = problems.errors, problems.warnings
    report.groups, report.counts = problems.groups, dict(problems.counts)
    report.summary["warnings"] = [problem.as_dict() for problem in problems.warnings]


def _shown(value: Any) -> Any:
    """Write one canonical value for the page: lists with spaces between, long texts cut."""
    if isinstance(value, int):
        return value
    return (" ".join(value) if isinstance(value, list) else str(value))[:PREVIEW_CHARACTERS]


def _write(table: Columns, path: Path) -> None:
    give_back()
    from bert_training.data.parquet import write_table  # pyarrow: 45 MB, after the reader has let go of its own

    write_table(table, path)
