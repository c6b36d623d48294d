"""The doubted labels of a run as rows of the spreadsheet: the user's own file with columns beside those rows.

Sent back with corrected labels it continues the dataset, and what was corrected is counted (services.corrections).
"""

import tempfile
from pathlib import Path

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split
from bert_training.data.checks import DatasetRefused
from bert_training.data.process_limits import UPLOAD_LIMITS, ProcessLimits
from bert_training.data.proof.shape import LabelErrors
from bert_training.data.table import PART_STRIDE, PARTS
from bert_training.data.writing.own_columns import PREFIX
from bert_training.models import Dataset, Run
from bert_training.services.doubting.doubted_labels import doubt_text, doubted_labels, label_text, suggestion_text
from bert_training.services.errors import ServiceError
from bert_training.services.proving.figure_words import share_text
from bert_training.services.sources import request_of
from bert_training.services.stored_files import stored_copy
from bert_training.services.workbooks import MadeWorkbook, detached, refused
from bert_training.tasks.intake import SourceFile
from bert_training.tasks.rows_beside import Beside, write_beside_in_sandbox

BEGINNING = "doubts-"
WIDTHS = (24, 24, 20)


def name_of_doubts(run: Run, part: Split, source: str) -> str:
    """Call the workbook of a run's doubts about one file.

    Who doubts is in the name: doubts of a cross-validation take the place of the linear method's.
    """
    return f"{doubts_of(run)}{part}-{source}"


def doubts_of(run: Run) -> str:
    """Return how the names of all workbooks of a run's doubts begin."""
    return f"{BEGINNING}{run.pk}-"


def is_of_doubts(name: str) -> bool:
    """Tell whether a workbook of this name is one of doubts."""
    return name.startswith(BEGINNING)


def files_of(dataset: Dataset) -> list[Split]:
    """Return which files a dataset was made of, in the order of their rows."""
    return [part for part in PARTS if part in dataset.files]


def doubt_workbook(name: str, dataset: Dataset, limits: ProcessLimits = UPLOAD_LIMITS) -> MadeWorkbook:
    """Write the doubts of a run beside the rows of one file of its dataset. name: as name_of_doubts has it.

    Raises ServiceError (not_found, a file that takes too long), DatasetGone, StorageAway.
    """
    run_id, part = _read_name(name)
    found = doubted_labels(Run(pk=run_id))
    if found is None:
        message = _("Nobody has looked for doubtful labels in this run.")
        raise ServiceError(ErrorCode.NOT_FOUND, message, http_status=404)
    file = dataset.files[part]
    with (
        stored_copy(dataset.part_key(part), file["sha256"]) as path,
        tempfile.TemporaryDirectory(prefix="bert-workbook-") as folder,
    ):
        source, target = SourceFile(path, file["name"]), Path(folder) / "workbook.xlsx"
        try:
            write_beside_in_sandbox(
                source, request_of(dataset), beside=_beside(found, dataset.sha256, part), target=target, limits=limits
            )
        except DatasetRefused as refusal:
            raise refused(refusal.problem) from refusal
        return MadeWorkbook(detached(target), doubt_workbook_name(name, dataset))


def doubt_workbook_name(name: str, dataset: Dataset) -> str:
    """Say under what name such a workbook is sent."""
    path = Path(dataset.files[_read_name(name)[1]]["name"])
    suffix = path.suffix.lower()
    words, ending = _("doubted labels"), suffix if suffix == ".xlsm" else ".xlsx"
    return f"{path.stem} - {words}{ending}"


def _beside(found: LabelErrors, sha256: str, part: Split) -> Beside:
    texts = {
        each["row"]: [
            label_text(each["given"]),
            suggestion_text(each["given"], each["suggested"]),
            f"{doubt_text(each['doubt'])} ({share_text(each['doubt'])})",
        ]
        for each in found["suspects"]
        if PARTS[each["row"] // PART_STRIDE] == part
    }
    headers = [PREFIX + name for name in (_("doubted label"), _("suggested label"), _("doubt"))]
    return Beside(headers, WIDTHS, texts, sha256, PARTS.index(part))


def _read_name(name: str) -> tuple[int, Split]:
    run_id, part, _source = name.removeprefix(BEGINNING).split("-")
    return int(run_id), Split(part)
