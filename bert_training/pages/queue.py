"""The queue: in which order jobs will be handed out. Everybody sees positions, names only of runs they may see.

Operators see each name and owner, as far as that goes, and put the queue into another order.
"""

from collections.abc import Iterable
from dataclasses import replace
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
from bert_training.models import Job
from bert_training.pages.requests import action, form_page, needs, page, page_of, person
from bert_training.pages.words import bound_sentence, computers, held_sentence
from bert_training.services.errors import ServiceError
from bert_training.services.queue_entries import Entry, entries_of, running_entries, waiting_entries
from bert_training.services.queue_order import MOST_PRIORITY, Move, move_job, set_priority
from bert_training.services.run_state import silent_sentence


class PriorityForm(forms.Form):
    """How urgent an entry is."""

    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=-MOST_PRIORITY,
        max_value=MOST_PRIORITY,
        help_text=gettext_lazy("Higher goes first; 0 is usual. Within one priority people take turns."),
    )


@page
@needs(*Role)
def show_queue(request: HttpRequest) -> HttpResponse:
    """Show what is running, then who waits in which order, why, and until when about."""
    user = person(request)
    waiting: Any = page_of(request, Job.objects.in_queue_order())
    first = waiting.start_index() or 1
    count = waiting.end_index() - first + 1 if waiting.paginator.count else 0
    waiting.object_list = with_remarks(waiting_entries(user, first=first, count=count))
    there = computers()
    context = {
        "running": with_remarks(running_entries(user)),
        "page": waiting,
        "workers_sentence": there.sentence,
        "workers_online": there.online,
        "may_operate": access.may_operate(user),
        "waiting_count": waiting.paginator.count,
    }
    return render(request, "queue/queue.html", context)


def entries(user: User, jobs: Iterable[Job]) -> list[Entry]:
    """Return jobs as somebody may see them, without what is expected of them."""
    return with_remarks(entries_of(user, jobs))


def with_remarks(entries: Iterable[Entry]) -> list[Entry]:
    """Say of each entry what is unusual about it."""
    return [replace(entry, remark=remark_of(entry)) for entry in entries]


def remark_of(entry: Entry) -> str:
    """Say that it is silent, being canceled, or waits for the one computer with its weights; names as known."""
    if entry.job.is_canceling:
        return _("being canceled")
    waits = bound_sentence(entry.job) or held_sentence(entry.job) if entry.run else ""
    return silent_sentence(entry.job) or waits


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
