"""What an operator does with a computer: each switch asks first, then a service does it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bert_training import access
from bert_training.contract.enums import Feature, Role
from bert_training.hours_form import HoursForm
from bert_training.models import Worker
from bert_training.pages.requests import form_page, needs, person
from bert_training.services.worker_hours import NIGHTS_AND_WEEKENDS, set_worker_hours, windows_of
from bert_training.services.workers import offer_to_others, pause_worker, set_worker_active, set_worker_draining


@dataclass(frozen=True)
class Switch:
    """One thing that an operator can do with a computer, in words, and how it is done."""

    question: str
    explanation: str
    verb: str
    done: str
    act: Callable[[Worker], None]
    is_destructive: bool = False


SWITCHES = {
    "off": Switch(
        gettext_noop("Switch this computer off?"),
        gettext_noop("Its run is taken from it at once and offered to others; the portal refuses its calls."),
        gettext_noop("Switch off"),
        gettext_noop("%(name)s is switched off."),
        partial(set_worker_active, active=False),
        is_destructive=True,
    ),
    "on": Switch(
        gettext_noop("Switch this computer on?"),
        gettext_noop("It may fetch runs again, with the token that it has."),
        gettext_noop("Switch on"),
        gettext_noop("%(name)s may fetch runs again."),
        partial(set_worker_active, active=True),
    ),
    "drain": Switch(
        gettext_noop("Let this computer finish?"),
        gettext_noop("It ends the run that it trains now and fetches no other, until somebody lets it."),
        gettext_noop("Take no new runs"),
        gettext_noop("%(name)s takes no new runs."),
        partial(set_worker_draining, draining=True),
    ),
    "pause": Switch(
        gettext_noop("Pause this computer now?"),
        gettext_noop(
            "It keeps a checkpoint of the run that it trains, hands the run back and fetches no other, until somebody "
            "lets it. The run waits for it, half a day at most, and goes on where it stopped: nothing is lost."
        ),
        gettext_noop("Pause now"),
        gettext_noop("%(name)s is being paused."),
        pause_worker,
    ),
    "resume": Switch(
        gettext_noop("Let this computer go on?"),
        gettext_noop("It fetches runs again."),
        gettext_noop("Take new runs"),
        gettext_noop("%(name)s may fetch runs again."),
        partial(set_worker_draining, draining=False),
    ),
    "offer": Switch(
        gettext_noop("Offer its run to the other computers?"),
        gettext_noop(
            "The run does not wait for this computer any more. Another one that takes it starts from the beginning: "
            "the checkpoint stays here."
        ),
        gettext_noop("Offer to others"),
        gettext_noop("What waited for %(name)s is offered to all."),
        offer_to_others,
    ),
}
TOO_OLD_TO_PAUSE = gettext_noop(
    "The program on this computer is too old to stop in the middle of a run: it ends the run that it trains and "
    "fetches no other, until somebody lets it."
)


def operated_worker(request: HttpRequest, pk: int) -> Worker:
    """Return a worker that the caller operates."""
    worker = access.workers_visible_to(person(request)).filter(pk=pk).first()
    if worker is None:
        raise Http404(_("There is no computer %(id)s.") % {"id": pk})
    return worker


@form_page
@needs(Role.OPERATE)
def switch(request: HttpRequest, pk: int, to: str) -> HttpResponse:
    """Ask, then switch a worker: one of SWITCHES."""
    worker = operated_worker(request, pk)
    if to not in SWITCHES:
        raise Http404(_("There is no computer %(id)s.") % {"id": pk})
    wanted = SWITCHES[to]
    back = reverse("pages:worker", args=[pk])
    if request.method == "POST":
        wanted.act(worker)
        messages.success(request, _(wanted.done) % {"name": worker.name})
        return redirect(back)
    is_too_old = to == "pause" and not worker.can(Feature.PAUSE)
    context = {
        "question": _(wanted.question),
        "subject": worker.name,
        "explanation": _(TOO_OLD_TO_PAUSE if is_too_old else wanted.explanation),
        "verb": _(wanted.verb),
        "is_destructive": wanted.is_destructive,
        "back": back,
    }
    return render(request, "_confirm.html", context)


@form_page
@needs(Role.OPERATE)
def edit_hours(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask in which hours a worker claims; `?fill=nights` begins with nights and weekends."""
    worker = operated_worker(request, pk)
    windows = NIGHTS_AND_WEEKENDS if request.GET.get("fill") == "nights" else windows_of(worker)
    form = HoursForm(request.POST if request.method == "POST" else None, windows=windows)
    if request.method == "POST" and form.is_valid():
        set_worker_hours(worker, form.windows())
        messages.success(request, _("The hours of %(name)s are kept.") % {"name": worker.name})
        return redirect("pages:worker", pk)
    return render(request, "workers/hours.html", {"worker": worker, "form": form}, status=422 if form.errors else 200)
