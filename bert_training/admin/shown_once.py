"""A page that shows a secret once: never cached, and the secret never enters a session, cookie, address or history."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_variables


@sensitive_variables()  # error reports print local variables
def show_once(request: HttpRequest, site: AdminSite, *, template: str, title: str, **shown: Any) -> HttpResponse:
    """Render into the answer of the POST that made the secret: a redirect would have to carry it somewhere."""
    context = {**site.each_context(request), "title": title, **shown}
    response = TemplateResponse(request, f"admin/bert_training/{template}", context)
    response.headers["Cache-Control"] = "no-store"
    return response
