"""The PCs that train: staff see each of them, everybody else how many are online."""

from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import JobStatus
from bert_training.contract.limits import FREE_DISK_BYTES
from bert_training.models import Job, Worker
from bert_training.pages.requests import page, page_of, person
from bert_training.pages.words import Fact, computers
from bert_training.services.phases import duration_text


@page
def list_workers(request: HttpRequest) -> HttpResponse:
    """List the workers to those who operate them; say how many are online to all."""
    user = person(request)
    there = computers()
    context: dict[str, Any] = {"workers_sentence": there.sentence, "workers_online": there.online}
    if access.may_operate(user):
        running = Job.objects.filter(status=JobStatus.RUNNING).select_related("run").only("worker_id", "run__name")
        workers = access.workers_visible_to(user).prefetch_related(
            Prefetch("jobs", queryset=running, to_attr="running_jobs")
        )
        context["page"] = page_of(request, workers)
        for worker in context["page"].object_list:
            worker.facts = facts(worker)
            worker.clock_sentence = clock_sentence(worker)
    return render(request, "workers/list.html", context)


def facts(worker: Worker) -> list[Fact]:
    """Say what a worker told of its hardware and versions; unknown parts are left out."""
    hardware = worker.hardware
    found = [
        Fact(_("GPU"), ", ".join(_gpu_words(gpu) for gpu in hardware.get("gpu") or [])),
        Fact(_("Free disk"), _disk_words(hardware.get("disk_free"))),
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
