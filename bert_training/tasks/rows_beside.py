"""Writes texts beside the rows of one file of somebody's upload, with the ids by which a later upload is matched.

`write_beside_in_sandbox` is what the portal calls; the rest runs in the child, for it reads the stranger's file again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.columns import find_header
from bert_training.data.process_limits import ProcessLimits
from bert_training.data.reading.sheet import Sheet
from bert_training.data.reading.spreadsheet import read_sheet
from bert_training.data.repairs import Fix
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.table import PART_STRIDE
from bert_training.data.writing.annotate import NewColumn, annotate
from bert_training.data.writing.own_columns import ROW_ID_HEADER, row_id
from bert_training.data.writing.workbook import ColumnLook
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest, SourceFile

ID_WIDTH = 20


@dataclass(frozen=True)
class Beside:
    """What to write beside which row.

    headers, widths: of the columns.  texts: row, as in the canonical table, -> one text a column.
    sha256: digest of the first file of the upload, which ids name.  part: position of this file in data.table.PARTS.
    """

    headers: Sequence[str]
    widths: Sequence[int]
    texts: Mapping[int, Sequence[str]]
    sha256: str
    part: int = 0

    @classmethod
    def from_json(cls, text: str) -> "Beside":
        """Read what asdict and json.dumps wrote: the keys of JSON are texts."""
        values = json.loads(text)
        return cls(**{**values, "texts": {int(row): texts for row, texts in values["texts"].items()}})


def write_beside_in_sandbox(
    source: SourceFile, request: CheckRequest, *, beside: Beside, target: Path, limits: ProcessLimits
) -> None:
    """Write the file with these texts to target, see data.writing.annotate. Raises DatasetRefused."""
    write_in_child(f"{__name__}.write_beside", source, request, notes=asdict(beside), target=target, limits=limits)


def write_in_child(
    function: str,
    source: SourceFile,
    request: CheckRequest,
    *,
    notes: Mapping[str, Any],
    target: Path,
    limits: ProcessLimits,
) -> None:
    """Have a child write a file with what is noted beside its rows; raises DatasetRefused.

    function: takes source, display_name, request, notes_path (the notes as JSON) and target; returns the problem for
    which the file cannot be read, if there is one.
    """
    notes_path = target.with_suffix(".json")
    notes_path.write_text(json.dumps(notes), encoding="utf-8")
    arguments = {
        "source": str(source.path.resolve()),
        "display_name": source.display_name,
        "request": asdict(request),
        "notes_path": str(notes_path.resolve()),
        "target": str(target.resolve()),
    }
    refused = run_in_sandbox(function, arguments, limits=limits)
    if refused:
        raise DatasetRefused(Problem(**refused))


def write_beside(
    source: str, display_name: str, request: dict[str, Any], notes_path: str, target: str
) -> dict[str, Any] | None:
    """Run in the child; returns the problem for which the file cannot be read, if there is one."""
    beside = Beside.from_json(Path(notes_path).read_text(encoding="utf-8"))
    try:
        sheet = read_asked(Path(source), CheckRequest(**request), display_name=display_name, part=beside.part)
    except DatasetRefused as refusal:
        return refusal.problem.as_dict()
    rows, nothing = frozenset(sheet.row_numbers), [""] * len(beside.headers)

    def texts_of(number: int) -> Sequence[str]:
        if number not in rows:
            return ()
        row = number + beside.part * PART_STRIDE
        return (*beside.texts.get(row, nothing), row_id(beside.sha256, row))

    columns = [NewColumn(name, ColumnLook(width)) for name, width in zip(beside.headers, beside.widths, strict=True)]
    columns.append(NewColumn(ROW_ID_HEADER, ColumnLook(ID_WIDTH, is_hidden=True)))
    annotate(sheet, Path(target), columns=columns, texts_of=texts_of)
    return None


def read_asked(path: Path, request: CheckRequest, *, display_name: str, part: int = 0) -> Sheet:
    """Read the sheet of a file that a check would; raises DatasetRefused.

    Repairs change what is read, never the file; only where its header is must be known.
    """
    wanted = request.sheet or None
    try:
        sheet = read_sheet(path, Problems(), sheet=wanted, display_name=display_name)
    except DatasetRefused as refusal:
        if not part or refusal.problem.code != "sheet_not_found":
            raise
        sheet = read_sheet(path, Problems(), display_name=display_name)  # its own may have another name
    if Fix.FIND_HEADER in request.recipe:
        sheet = find_header(sheet, TASKS[request.task].columns, Problems(), mapping=request.columns)
    return sheet
