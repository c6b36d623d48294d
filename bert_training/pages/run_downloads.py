"""What can be downloaded of a run: its model card, its figures, its split and its predictions; CSV suits the reader."""

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.models import Run
from bert_training.pages.requests import page, person
from bert_training.services.csv_form import reader_form
from bert_training.services.errors import DatasetGone, ServiceError, StorageAway
from bert_training.services.log_file import run_log
from bert_training.services.manifests import run_manifest_csv
from bert_training.services.picturing.training_history import training_history
from bert_training.services.proving.predictions import open_predictions_csv
from bert_training.services.run_files import model_card, run_metrics_csv
from bert_training.streamed import sent_in


@page
def download_model_card(request: HttpRequest, pk: int) -> HttpResponse:
    """Download what the model is, in Markdown."""
    run = access.visible_run(person(request), pk)
    try:
        card = model_card(run)
    except ServiceError as refusal:
        raise Http404(refusal.message) from refusal
    return attachment(card, "text/markdown", f"{file_name(run)}-model-card.md")


@page
def download_metrics(request: HttpRequest, pk: int) -> HttpResponse:
    """Download every metric point as CSV."""
    run = access.visible_run(person(request), pk)
    return attachment(run_metrics_csv(run, reader_form()), "text/csv", f"{file_name(run)}-metrics.csv")


@page
def download_training_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Download how the run learned, as a picture."""
    run = access.visible_run(person(request), pk)
    picture = training_history(run)
    if picture is None:
        raise Http404(_("This run has no curves yet."))
    return attachment(picture, "image/png", f"{file_name(run)}-training_history.png")


@page
def download_log(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Download the whole log as text."""
    run = access.visible_run(person(request), pk)
    headers = _headers(f"{file_name(run)}.log")
    return StreamingHttpResponse(
        sent_in(request, run_log(run)), content_type="text/plain; charset=utf-8", headers=headers
    )


@page
def download_manifest(request: HttpRequest, pk: int) -> HttpResponse:
    """Download which row of the spreadsheet was in which split, as CSV."""
    run = access.visible_run(person(request), pk)
    try:
        manifest = run_manifest_csv(run, reader_form())
    except (DatasetGone, StorageAway) as refusal:
        messages.error(request, refusal.message)
        return redirect("pages:run", pk=pk)
    return attachment(manifest, "text/csv", f"{file_name(run)}-split.csv")


@page
def download_predictions(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Download what each source answered for each row, as CSV. No text of a row is in it."""
    run = access.visible_run(person(request), pk)
    try:
        content, _stored = open_predictions_csv(run, reader_form())
    except (DatasetGone, StorageAway) as refusal:
        messages.error(request, refusal.message)
        return redirect("pages:run", pk=pk)
    except ServiceError as refusal:
        raise Http404(refusal.message) from refusal
    name = f"{file_name(run)}-predictions.csv"
    answer = FileResponse(content, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer


def file_name(run: Run) -> str:
    """Return how files of a run begin: its number, and its name in plain letters."""
    return f"run-{run.pk}-{slugify(run.name)[:60]}".rstrip("-")


def attachment(content: str | bytes, content_type: str, name: str) -> HttpResponse:
    """Send a file that no cache keeps; texts are UTF-8."""
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    return HttpResponse(content, content_type=f"{content_type}{charset}", headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
