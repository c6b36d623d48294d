"""Downloads of what a check found: all problems as a spreadsheet, and the user's own file with the findings in it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import DatasetStatus, WorkbookKind
from bert_training.models import Dataset
from bert_training.pages.requests import page, person
from bert_training.services.errors import DatasetNotReady, ServiceError, StorageAway
from bert_training.services.stored_workbooks import WorkbookState, open_workbook, workbook_state
from bert_training.services.workbooks import EXCEL, MadeWorkbook


@dataclass(frozen=True)
class WorkbookLink:
    """A workbook on the page of a dataset."""

    url_name: str
    label: str
    is_pending: bool


@page
def download_workbook(request: HttpRequest, pk: int, kind: WorkbookKind) -> HttpResponseBase:
    """Send a workbook of a dataset, or go back to its page and say why there is none yet."""
    dataset = access.visible_dataset(person(request), pk)
    try:
        return send_workbook(open_workbook(kind, dataset))
    except DatasetNotReady as waiting:
        messages.info(request, waiting.message)
    except ServiceError as refusal:
        messages.error(request, refusal.message)
    return redirect("pages:dataset", pk=pk)


def send_workbook(made: MadeWorkbook) -> HttpResponseBase:
    """Answer with a workbook as an attachment that no browser opens."""
    answer = FileResponse(made.file, as_attachment=True, filename=made.name, content_type=EXCEL)
    answer["Content-Security-Policy"] = "sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


def workbook_links(dataset: Dataset) -> list[WorkbookLink]:
    """Return the downloads that the page of a dataset offers, none while it is checked."""
    labels = {
        WorkbookKind.FINDINGS: _("My spreadsheet with the findings"),
        WorkbookKind.PROBLEMS: _("Problems as a spreadsheet"),
    }
    if dataset.status == DatasetStatus.CHECKING:
        return []
    return [
        WorkbookLink(f"pages:dataset-{kind.value}", label, is_pending(kind, dataset)) for kind, label in labels.items()
    ]


def is_pending(name: str, dataset: Dataset) -> bool:
    """Tell whether a workbook is being made."""
    try:
        return workbook_state(name, dataset) == WorkbookState.PENDING
    except StorageAway:  # whoever follows the link is told
        return False
