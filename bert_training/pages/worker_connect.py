"""Connecting a PC: a name makes a token, the page gives the commands with it, and turns green at the first call.

The token stands in the answer of the POST that made it and nowhere again; what follows is asked for by the PC's number.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from bert_training import access
from bert_training.models import AccessToken
from bert_training.pages.requests import form_page, page, person
from bert_training.pages.worker_commands import ZIP, linux_steps, windows_steps
from bert_training.pages.worker_facts import clock_sentence, facts
from bert_training.services.errors import ServiceError
from bert_training.services.worker_program import worker_program
from bert_training.services.workers import register_worker

# Installing takes minutes; who has started the program and sees nothing after this time needs advice.
ADVICE_AFTER = timedelta(minutes=2)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ConnectForm(forms.Form):
    """The name of the PC."""

    name = forms.CharField(
        label=gettext_lazy("Name of the PC"),
        max_length=100,
        help_text=gettext_lazy("As people call it, for example “PC da sala 12”. It stands in queue and log."),
    )


@form_page
@sensitive_variables("registered")
def connect(request: HttpRequest) -> HttpResponse:
    """Ask for a name; register the PC and show its commands."""
    _require_staff(request)
    form = ConnectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            registered = register_worker(name=form.cleaned_data["name"])
        except ServiceError as refusal:
            form.add_error("name", refusal.message)
        else:
            return _show_commands(request, registered.id, registered.token)
    return render(request, "workers/connect.html", {"form": form}, status=422 if form.errors else 200)


@page
def show_connection(request: HttpRequest, pk: int) -> HttpResponse:
    """Show whether a PC has called yet, and what to look at when it does not."""
    _require_staff(request)
    return render(request, "workers/connection.html", _connection(request, pk))


@page
def download_program(request: HttpRequest) -> HttpResponse:
    """Send the program that the PC runs."""
    _require_staff(request)
    response = HttpResponse(worker_program(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{ZIP}"'
    return response


@sensitive_variables()  # error reports print local variables
def _show_commands(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    context = {
        **_connection(request, pk),
        "systems": [
            {"name": "Windows (PowerShell)", "steps": windows_steps(api_url=settings.BASE_URL, token=token)},
            {"name": "Linux", "steps": linux_steps(api_url=settings.BASE_URL, token=token)},
        ],
        "program": ZIP,
    }
    response = render(request, "workers/commands.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _connection(request: HttpRequest, pk: int) -> dict[str, Any]:
    worker: Any = access.workers_visible_to(person(request)).filter(pk=pk).first()
    if worker is None:
        raise Http404(_("There is no computer %(id)s.") % {"id": pk})
    worker.valid_tokens = list(AccessToken.objects.usable().filter(worker=worker))
    is_late = timezone.now() - worker.created_at > ADVICE_AFTER
    return {
        "worker": worker,
        "is_connected": worker.is_online,
        "has_called": any(token.last_used_at for token in worker.valid_tokens),
        "facts": facts(worker) if worker.last_seen_at else [],
        "lacks_gpu": worker.is_online and not worker.hardware.get("gpu"),
        "clock_sentence": clock_sentence(worker),
        "is_late": is_late,
        "api_url": settings.BASE_URL,
        "is_only_here": urlsplit(settings.BASE_URL).hostname in LOOPBACK,
        "is_https": settings.BASE_URL.startswith("https://"),
    }


def _require_staff(request: HttpRequest) -> None:
    if not access.may_administer(person(request)):
        raise PermissionDenied
