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
from bert_training.models import Run
from bert_training.services.doubted_labels import doubt_text, doubted_labels, label_text
from bert_training.services.errors import DatasetGone, ServiceError
from bert_training.services.figure_words import share_text
from bert_training.services.sources import request_of
from bert_training.services.stored_files import stored_copy
from bert_training.services.workbooks import MadeWorkbook, detached, refused
from bert_training.tasks.intake import SourceFile
from bert_training.tasks.rows_beside import Beside, write_beside_in_sandbox

WIDTHS = (24, 24, 20)


def doubt_workbook(run: Run, part: Split, limits: ProcessLimits = UPLOAD_LIMITS) -> MadeWorkbook:
    """Write the doubts of a run beside the rows of one file of its dataset.

    Raises ServiceError (not_found, a file that takes too long), DatasetGone, StorageAway.
    """
    found, dataset = doubted_labels(run), run.dataset
    if found is None:
        message = _("Nobody has looked for doubtful labels in this run.")
        raise ServiceError(ErrorCode.NOT_FOUND, message, http_status=404)
    if dataset.deleted_at is not None:
        raise DatasetGone(ErrorCode.DATASET_GONE, _("The dataset of this run was deleted."))
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
        return MadeWorkbook(detached(target), _name(file["name"]))


def _beside(found: LabelErrors, sha256: str, part: Split) -> Beside:
    texts = {
        each["row"]: [
            label_text(each["given"]),
            label_text(each["suggested"]),
            f"{doubt_text(each['doubt'])} ({share_text(each['doubt'])})",
        ]
        for each in found["suspects"]
        if PARTS[each["row"] // PART_STRIDE] == part
    }
    headers = [PREFIX + name for name in (_("doubted label"), _("suggested label"), _("doubt"))]
    return Beside(headers, WIDTHS, texts, sha256, PARTS.index(part))


def _name(original: str) -> str:
    path = Path(original)
    suffix = path.suffix.lower()
    return f"{path.stem} - {_('doubted labels')}{suffix if suffix == '.xlsm' else '.xlsx'}"
