"""The PCs that train: operators see each of them and switch it, everybody else how many are online."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bert_training import access
from bert_training.contract.enums import JobStatus, Role
from bert_training.contract.limits import FREE_DISK_BYTES
from bert_training.models import AccessToken, Job, Worker
from bert_training.pages.requests import form_page, needs, page, page_of, person
from bert_training.pages.tokens import expiry_words
from bert_training.pages.words import Fact, computers
from bert_training.services.phases import duration_text
from bert_training.services.workers import set_worker_active, set_worker_draining


@dataclass(frozen=True)
class Switch:
    """One thing that an operator can do with a computer, in words, and how it is done."""

    question: str
    explanation: str
    verb: str
    done: str
    act: Callable[[Worker], None]


SWITCHES = {
    "off": Switch(
        gettext_noop("Switch this computer off?"),
        gettext_noop("Its run is taken from it at once and offered to others; the portal refuses its calls."),
        gettext_noop("Switch off"),
        gettext_noop("%(name)s is switched off."),
        partial(set_worker_active, active=False),
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
    "resume": Switch(
        gettext_noop("Let this computer go on?"),
        gettext_noop("It fetches runs again."),
        gettext_noop("Take new runs"),
        gettext_noop("%(name)s may fetch runs again."),
        partial(set_worker_draining, draining=False),
    ),
}


@page
@needs(*Role)
def list_workers(request: HttpRequest) -> HttpResponse:
    """List the workers to those who operate them; say how many are online to all."""
    user = person(request)
    there = computers()
    context: dict[str, Any] = {"workers_sentence": there.sentence, "workers_online": there.online}
    if access.may_operate(user):
        running = Job.objects.filter(status=JobStatus.RUNNING).select_related("run").only("worker_id", "run__name")
        workers = access.workers_visible_to(user).prefetch_related(
            Prefetch("jobs", queryset=running, to_attr="running_jobs"),
            Prefetch("tokens", queryset=AccessToken.objects.usable(), to_attr="valid_tokens"),
        )
        context["page"] = page_of(request, workers)
        for worker in context["page"].object_list:
            worker.facts = facts(worker)
            worker.clock_sentence = clock_sentence(worker)
        _mark_opened(user, context["page"].object_list)
    return render(request, "workers/list.html", context)


def _mark_opened(user: User, workers: list[Worker]) -> None:
    """Say of the jobs that workers run whether this person may open their runs' pages."""
    running = [job for worker in workers for job in worker.running_jobs]  # type: ignore[attr-defined]
    wanted = [job.run_id for job in running]
    opened = set(access.runs_visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True))
    for job in running:
        job.opens = job.run_id in opened


@form_page
@needs(Role.OPERATE)
def switch(request: HttpRequest, pk: int, to: str) -> HttpResponse:
    """Ask, then switch a worker: `off` or `on`, `drain` or `resume`."""
    worker = access.workers_visible_to(person(request)).filter(pk=pk).first()
    if worker is None or to not in SWITCHES:
        raise Http404(_("There is no computer %(id)s.") % {"id": pk})
    wanted = SWITCHES[to]
    if request.method == "POST":
        wanted.act(worker)
        messages.success(request, _(wanted.done) % {"name": worker.name})
        return redirect("pages:workers")
    context = {
        "question": _(wanted.question),
        "subject": worker.name,
        "explanation": _(wanted.explanation),
        "verb": _(wanted.verb),
        "is_destructive": to == "off",
        "back": reverse("pages:workers"),
    }
    return render(request, "_confirm.html", context)


def facts(worker: Any) -> list[Fact]:
    """Say until when its token is valid and what it told of hardware and versions; unknown parts are left out.

    Needs the worker's valid tokens in `valid_tokens`, the newest first.
    """
    hardware = worker.hardware
    found = [
        Fact(_("GPU"), ", ".join(_gpu_words(gpu) for gpu in hardware.get("gpu") or [])),
        Fact(_("Free disk"), _disk_words(hardware.get("disk_free"))),
        Fact(_("Token"), expiry_words(worker.valid_tokens[0]) if worker.valid_tokens else _("no valid token")),
        Fact(_("Versions"), ", ".join(f"{name} {version}" for name, version in sorted(worker.versions.items()))),
    ]
    return [fact for fact in found if fact.text]


def clock_sentence(worker: Worker) -> str:
    """Say that a worker's clock is wrong, and how much; empty while it is right enough."""
    if not worker.is_clock_off:
        return ""
    skew = worker.clock_skew_seconds
    ahead = _("Its clock is %(duration)s ahead of the portal's. Only times in its log lines suffer: set the clock.")
    behind = _("Its clock is %(duration)s behind the portal's. Only times in its log lines suffer: set the clock.")
    return (ahead if skew > 0 else behind) % {"duration": duration_text(round(abs(skew)))}


def _disk_words(free: int | None) -> str:
    if free is None:
        return ""
    size = str(filesizeformat(free))
    return size if free >= FREE_DISK_BYTES else _("%(size)s: too little to take a run") % {"size": size}


def _gpu_words(gpu: dict[str, Any]) -> str:
    memory = filesizeformat(gpu["memory_bytes"]) if gpu.get("memory_bytes") else ""
    return " ".join(part for part in (str(gpu.get("name", "")), memory) if part)
