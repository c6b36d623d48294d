"""Sending a spreadsheet: choose what to learn, see what the sheet must look like, check it, save it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import Role, ShareLevel, WorkbookKind
from bert_training.pages.reports import ShownReport, shown_report
from bert_training.pages.requests import form_page, needs, page, person, refused
from bert_training.pages.workbooks import send_workbook
from bert_training.services.datasets import DatasetInvalid, check_upload, register_upload
from bert_training.services.errors import ServiceError
from bert_training.services.workbooks import EXCEL, workbook_of_upload
from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_workbook
from bert_training.tasks.spec import TaskSpec
from bert_training.upload_form import UploadForm

SHOWN_EXAMPLES = 3
FORM_ID = "upload-form"  # repairs stand below the form and belong to it
BY_SCRIPT = "fetch"  # X-Requested-With of upload.js, which shows the answer without leaving the form


@form_page
@needs(Role.TRAIN)
def upload_dataset(request: HttpRequest) -> HttpResponseBase:
    """Show the form for one task; `action=check` judges the file and keeps nothing, `action=send` saves it.

    action=problems and action=workbook (WorkbookKind) keep nothing either: a workbook of the findings comes back.
    """
    spec = _wanted_task(request)
    form = UploadForm(spec, request.POST or None, request.FILES or None)
    found, action = None, request.POST.get("action")
    refusal: ServiceError | None = None
    is_check_only = action == "check"
    if request.method == "POST" and form.is_valid():
        try:
            if action in list(WorkbookKind):
                return send_workbook(workbook_of_upload(WorkbookKind(action), form.uploads(), form.check_request()))
            if not is_check_only:
                return _register(request, form)
            found = check_upload(form.uploads(), form.check_request())
        except DatasetInvalid as invalid:
            found = invalid.report
        except ServiceError as error:
            refusal = error
            form.add_error(None, error.message)
    report = shown_report(found, is_check_only=is_check_only) if found else None
    if found:
        form.show(found, form_id=FORM_ID)
    else:
        form.offer((), form["recipe"].value() or (), form_id=FORM_ID)  # what was chosen before stays chosen
    status = _status(request, form, report)
    response = render(request, "datasets/upload.html", _context(spec, form, report), status=status)
    return response if _is_by_script(request) else refused(response, refusal)


def _register(request: HttpRequest, form: UploadForm) -> HttpResponse:
    """Save the file and go to its page, or to the page of the same file sent before."""
    user = person(request)
    registered = register_upload(
        owner=user,
        uploads=form.uploads(),
        name=form.cleaned_data["name"],
        description=form.cleaned_data["description"],
        request=form.check_request(),
        visible=access.datasets_visible_to(user, ShareLevel.USE),
    )
    if registered.created:
        messages.success(request, _("The spreadsheet was saved."))
    else:
        messages.info(request, _("This spreadsheet was here already; nothing was saved twice."))
    page_of_dataset = reverse("pages:dataset", args=[registered.dataset.pk])
    if _is_by_script(request):  # a redirect would be followed there, and the message above shown to nobody
        return HttpResponse(status=201, headers={"Location": page_of_dataset})
    return redirect(page_of_dataset)


def _context(spec: TaskSpec, form: UploadForm, report: ShownReport | None) -> dict[str, Any]:
    return {
        "tasks": list(TASKS.values()),
        "spec": spec,
        "form": form,
        "form_id": FORM_ID,
        "report": report,
        "example_rows": spec.example_rows[:SHOWN_EXAMPLES],
    }


def _is_by_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == BY_SCRIPT


def _status(request: HttpRequest, form: UploadForm, report: ShownReport | None) -> int:
    """Answer 422 when the file was not saved as asked; a check that finds errors has done its work.

    A script gets 200: browsers complain of other answers in their console.
    """
    is_refused = report is not None and not report.valid and not report.is_check_only
    return 422 if (form.errors or is_refused) and not _is_by_script(request) else 200


def _wanted_task(request: HttpRequest) -> TaskSpec:
    first = next(iter(TASKS))
    return TASKS.get(request.GET.get("task", first), TASKS[first])


@page
def download_sample(request: HttpRequest, task: str) -> HttpResponse:
    """Send a spreadsheet that shows how the data must look."""
    if task not in TASKS:
        raise Http404(_("There is no task “%(task)s”.") % {"task": task})
    headers = {"Content-Disposition": f'attachment; filename="sample-{task}.xlsx"'}
    return HttpResponse(sample_workbook(TASKS[task]), content_type=EXCEL, headers=headers)
