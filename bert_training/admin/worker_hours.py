"""The admin's page of a worker's hours."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from bert_training.admin.base import admin_url
from bert_training.hours_form import HoursForm
from bert_training.models import Worker
from bert_training.services.worker_hours import set_worker_hours, windows_of


def hours_page(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, worker: Worker) -> HttpResponse:
    """Ask in which hours a worker that the caller may change takes jobs, and keep them."""
    form = HoursForm(request.POST if request.method == "POST" else None, windows=windows_of(worker))
    if request.method == "POST" and form.is_valid():
        set_worker_hours(worker, form.windows())
        model_admin.log_change(request, worker, _("Hours changed."))
        return HttpResponseRedirect(admin_url(worker))
    note = _(
        "When this computer takes runs. Leave everything empty for at any time. A window that ends before it begins "
        "ends on the next day; 00:00 to 00:00 is a whole day."
    )
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Hours of %(worker)s") % {"worker": worker.name},
        "opts": model_admin.opts,
        "form": form,
        "submit_label": _("Save"),
        "note": note,
    }
    return TemplateResponse(request, "admin/bert_training/form.html", context)
