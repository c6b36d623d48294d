"""Back to the user's workbook: all problems as a spreadsheet, and their own file with the findings beside its rows.

Both are made anew from the file each time, in child processes: nothing of them is kept but for large datasets
(services.stored_workbooks).
"""

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split, WorkbookKind
from bert_training.data.checks import DatasetRefused, Problem
from bert_training.data.process_limits import UPLOAD_LIMITS, ProcessLimits
from bert_training.data.profiling.duplicates import unpack_groups
from bert_training.data.reading.refusals import TOO_COMPLEX
from bert_training.data.table import PART_STRIDE, ROW
from bert_training.data.writing.own_columns import PREFIX
from bert_training.models import Dataset, DatasetProfile
from bert_training.services.errors import ServiceError
from bert_training.services.problem_sheet import read_problems, row_notes, write_problem_sheet
from bert_training.services.problem_words import shown_problem
from bert_training.services.rate_limits import Limit, limit_caller
from bert_training.services.sources import Uploads, request_of, stored_sources, upload_sources
from bert_training.services.stored_files import read_table
from bert_training.tasks.findings import Notes, number_groups, write_in_sandbox
from bert_training.tasks.intake import CheckRequest, Report, SourceFile, check_in_sandbox

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LEAST_SECONDS = 2.0  # for the second child, however long the first took


@dataclass(frozen=True)
class MadeWorkbook:
    """A workbook that is ready to be sent: an open temporary file, and what to call it."""

    file: IO[bytes]
    name: str


@dataclass(frozen=True)
class Wanted:
    """Of which files what is wanted. groups: row -> number of its group of similar texts, None where not known."""

    kind: WorkbookKind
    files: Mapping[Split, SourceFile]
    request: CheckRequest
    groups: Mapping[int, int] | None = None


def workbook_of_upload(kind: WorkbookKind, uploads: Uploads, request: CheckRequest) -> MadeWorkbook:
    """Check files and say what was found in a workbook; keeps nothing. Raises RateLimited, ServiceError."""
    limit_caller(Limit.CHECKS)
    with upload_sources(uploads, request) as files:
        return make_workbook(Wanted(kind, files, request), UPLOAD_LIMITS)


def workbook_of_dataset(kind: WorkbookKind, dataset: Dataset, limits: ProcessLimits = UPLOAD_LIMITS) -> MadeWorkbook:
    """Say what was found in a stored dataset. Raises ServiceError, DatasetGone, StorageAway."""
    with stored_sources(dataset) as files:
        groups = groups_of(dataset) if kind == WorkbookKind.FINDINGS else None
        return make_workbook(Wanted(kind, files, request_of(dataset), groups), limits)


def problems_of_dataset(dataset: Dataset) -> list[dict[str, Any]]:
    """Return all problems of a stored dataset, as Problem.as_dict() has them. Raises ServiceError for a large one."""
    if dataset.is_large:
        message = _("The file is too large to be checked at once: ask for the spreadsheet of its problems.")
        raise ServiceError(ErrorCode.TOO_LARGE, message, http_status=413, limit=settings.BACKGROUND_CHECK_BYTES)
    with stored_sources(dataset) as files, tempfile.TemporaryDirectory(prefix="bert-problems-") as folder:
        path = Path(folder) / "problems.jsonl"
        _require_whole(check_in_sandbox(files, request_of(dataset), problems_path=path))
        return list(read_problems(path))


def make_workbook(wanted: Wanted, limits: ProcessLimits) -> MadeWorkbook:
    """Check the files and write the workbook; both children together keep within the limits' wall clock.

    Raises ServiceError when a file can be read by nobody, or takes longer.
    """
    deadline = time.monotonic() + limits.wall_seconds
    with tempfile.TemporaryDirectory(prefix="bert-workbook-") as folder:
        problems, target = Path(folder) / "problems.jsonl", Path(folder) / "workbook.xlsx"
        _require_whole(check_in_sandbox(wanted.files, wanted.request, problems_path=problems, limits=limits))
        if wanted.kind == WorkbookKind.PROBLEMS:
            write_problem_sheet(problems, target, files=wanted.files)
        else:
            notes = Notes(_added_headers(), row_notes(problems), wanted.groups)
            left = max(LEAST_SECONDS, deadline - time.monotonic())
            _write_findings(wanted, notes, target, limits=replace(limits, wall_seconds=left))
        return MadeWorkbook(detached(target), workbook_name(wanted.kind, wanted.files[Split.TRAIN].display_name))


def workbook_name(kind: WorkbookKind, original: str) -> str:
    """Call a workbook after the file that it is about. One with macros keeps its ending, or no program opens it."""
    path = Path(original)
    words, suffix = (_("problems"), ".xlsx") if kind == WorkbookKind.PROBLEMS else (_("findings"), path.suffix.lower())
    return f"{path.stem} - {words}{suffix if suffix == '.xlsm' else '.xlsx'}"


def groups_of(dataset: Dataset) -> dict[int, int] | None:
    """Return what the profile knows of similar texts: row -> number of its group; None when it knows nothing."""
    profile = DatasetProfile.objects.filter(dataset=dataset).first()
    if profile is None or profile.clusters is None or not dataset.is_ready:
        return None
    rows = read_table(dataset, [ROW])[ROW]
    numbers = number_groups(rows, unpack_groups(bytes(profile.clusters), len(rows)))
    return {row: number for row, number in numbers.items() if row < PART_STRIDE}


def _added_headers() -> list[str]:
    return [PREFIX + name for name in (_("problems"), _("repair"), _("repeats row"), _("group of similar texts"))]


def _write_findings(wanted: Wanted, notes: Notes, target: Path, *, limits: ProcessLimits) -> None:
    try:
        source = wanted.files[Split.TRAIN]
        write_in_sandbox(source, wanted.request, notes=notes, target=target, limits=limits)
    except DatasetRefused as refusal:
        raise refused(refusal.problem) from refusal


def _require_whole(report: Report) -> None:
    """Refuse what the check did not get through: a list of no problems would say that there are none."""
    for problem in report.errors:
        if problem.code == TOO_COMPLEX:
            raise refused(problem)


def refused(problem: Problem) -> ServiceError:
    """Say why a file cannot be read."""
    words = shown_problem(problem.as_dict())
    return ServiceError(ErrorCode.INVALID_DATASET, f"{words.sentence} {words.repair}".strip())


def detached(path: Path) -> IO[bytes]:
    """Open a copy that is gone as soon as it is closed: the folder is removed before the answer is sent."""
    file = tempfile.TemporaryFile(prefix="bert-workbook-")  # noqa: SIM115 - closed by whoever sends it
    with path.open("rb") as source:
        shutil.copyfileobj(source, file)
    file.seek(0)
    return file
