"""The queue: in which order jobs will be handed out. Everybody sees positions, names only of runs they may see.

Operators see each name and owner, as far as that goes, and put the queue into another order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training import access
from bert_training.contract.enums import JobStatus, Role
from bert_training.models import Job, Run
from bert_training.pages.requests import action, form_page, needs, page, page_of, person
from bert_training.pages.words import bound_sentence, computers, held_sentence
from bert_training.services.errors import ServiceError
from bert_training.services.queue_order import MOST_PRIORITY, Move, move_job, set_priority
from bert_training.services.run_state import silent_sentence
from bert_training.tasks import TASKS


class PriorityForm(forms.Form):
    """How urgent an entry is."""

    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=-MOST_PRIORITY,
        max_value=MOST_PRIORITY,
        help_text=gettext_lazy("Higher goes first; 0 is usual. Within one priority people take turns."),
    )


@dataclass(frozen=True)
class Entry:
    """One line of the queue; `run` is None where the reader may not know it, opens: whether they may see its page."""

    job: Job
    run: Run | None
    position: int
    opens: bool = False

    @property
    def task_label(self) -> str:
        """Name the task in the reader's language."""
        return _(TASKS[self.job.task].label) if self.job.task in TASKS else self.job.task

    @property
    def remark(self) -> str:
        """Say what is unusual about it: silent, being canceled, or waiting for the one computer with its weights."""
        if self.job.is_canceling:
            return _("being canceled")
        waits = bound_sentence(self.job) or held_sentence(self.job) if self.run else ""
        return silent_sentence(self.job) or waits


@page
@needs(*Role)
def show_queue(request: HttpRequest) -> HttpResponse:
    """Show what is running, then who waits in which order."""
    user = person(request)
    waiting = page_of(request, Job.objects.in_queue_order().select_related("hold_worker", "bound_to"))
    shown: Any = waiting
    shown.object_list = entries(user, waiting.object_list, first=waiting.start_index() or 1)
    there = computers()
    context = {
        "running": entries(user, Job.objects.filter(status=JobStatus.RUNNING).order_by("started_at")),
        "page": shown,
        "workers_sentence": there.sentence,
        "workers_online": there.online,
        "may_operate": access.may_operate(user),
        "waiting_count": waiting.paginator.count,
    }
    return render(request, "queue/queue.html", context)


def entries(user: User, jobs: Iterable[Job], first: int = 1) -> list[Entry]:
    """Join jobs with those of their runs that somebody may see; operators read the names of all."""
    listed = list(jobs)
    wanted = [job.run_id for job in listed]
    opened = set(access.runs_visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True))
    named = wanted if access.may_operate(user) else opened
    runs = Run.objects.select_related("owner").only("name", "owner__username").in_bulk(named)
    return [
        Entry(job, runs.get(job.run_id), position, opens=job.run_id in opened)
        for position, job in enumerate(listed, start=first)
    ]


@action
@needs(Role.OPERATE)
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move an entry: `move` says where to."""
    wanted = request.POST.get("move", "")
    if wanted not in set(Move):
        raise Http404(_("An entry of the queue goes first, up, down or last."))
    try:
        move_job(pk, Move(wanted))
    except ServiceError as refusal:
        messages.error(request, refusal.message)
    return redirect("pages:queue")


@form_page
@needs(Role.OPERATE)
def change_priority(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask how urgent an entry is, and note it."""
    job = Job.objects.filter(pk=pk, status=JobStatus.QUEUED).select_related("run").first()
    if job is None:
        messages.error(request, _("This run does not wait any more: it was taken by a computer, or has ended."))
        return redirect("pages:queue")
    form = PriorityForm(request.POST or None, initial={"priority": job.priority})
    if request.method == "POST" and form.is_valid():
        try:
            set_priority(pk, form.cleaned_data["priority"])
        except ServiceError as refusal:
            messages.error(request, refusal.message)
        return redirect("pages:queue")
    return render(request, "queue/priority.html", {"job": job, "form": form}, status=422 if form.errors else 200)
