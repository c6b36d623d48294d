"""The queue: in which order jobs will be handed out. Everybody sees positions, names only of runs they may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import JobStatus
from bert_training.models import Job, Run
from bert_training.pages.requests import page, page_of, person
from bert_training.pages.words import bound_sentence, computers, held_sentence
from bert_training.services.run_state import silent_sentence
from bert_training.tasks import TASKS


@dataclass(frozen=True)
class Entry:
    """One line of the queue; `run` is None where the reader may not know it."""

    job: Job
    run: Run | None
    position: int

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
    }
    return render(request, "queue/queue.html", context)


def entries(user: User, jobs: Iterable[Job], first: int = 1) -> list[Entry]:
    """Join jobs with those of their runs that somebody may see."""
    listed = list(jobs)
    visible = access.runs_visible_to(user).select_related("owner").only("name", "owner__username")
    runs = visible.in_bulk([job.run_id for job in listed])
    return [Entry(job, runs.get(job.run_id), position) for position, job in enumerate(listed, start=first)]
