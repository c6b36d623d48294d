"""The report of a run as a file: HTML, Markdown or PDF; with examples only for who may see texts and asks for them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from bert_training import access
from bert_training.pages.requests import page, person
from bert_training.pages.run_downloads import attachment, file_name
from bert_training.services.errors import ServiceError
from bert_training.services.frequent_events import record_export
from bert_training.services.reporting.blocks import Report
from bert_training.services.reporting.examples import examples_section
from bert_training.services.reporting.html import to_html
from bert_training.services.reporting.markdown import to_markdown
from bert_training.services.reporting.report import write_report


@dataclass(frozen=True)
class Form:
    """What a report is written as."""

    content_type: str
    write: Callable[[Report], str | bytes]


def _to_pdf(report: Report) -> bytes:
    from bert_training.services.reporting.pdf import to_pdf  # fpdf2: 0.4 s that only a PDF needs

    return to_pdf(report)


FORMS = {
    "html": Form("text/html", to_html),
    "md": Form("text/markdown", to_markdown),
    "pdf": Form("application/pdf", _to_pdf),
}


@page
def download_report(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """Write the report of a run and send it. ?examples=1: with texts of rows."""
    user = person(request)
    run = access.visible_run(user, pk)
    has_texts = request.GET.get("examples") == "1"
    if has_texts and not access.may_see_texts(user, run):
        raise PermissionDenied
    try:
        report = write_report(run, [examples_section(run)] if has_texts else [])
    except ServiceError as refusal:
        raise Http404(refusal.message) from refusal
    record_export(run, what=f"report_{form}_with_texts" if has_texts else f"report_{form}")
    wanted = FORMS[form]
    return attachment(wanted.write(report), wanted.content_type, f"{file_name(run)}-report.{form}")
