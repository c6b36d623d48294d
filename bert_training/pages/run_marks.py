"""What people write on a run: the form of tags and notes on its page, and the archive, for one or several runs."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bert_training import access
from bert_training.contract.enums import Role
from bert_training.models import Run
from bert_training.models.run import NOTES_CHARACTERS
from bert_training.models.run_tag import TAG_CHARACTERS, TAGS_OF_A_RUN
from bert_training.pages.requests import action, form_page, needs, number_of, person
from bert_training.services.errors import ServiceError
from bert_training.services.run_marks import archivable_runs, archive_runs, update_run

CHOSEN_LIMIT = 100  # a page of the list has fewer
ADDRESS_CHARACTERS = 2000


class MarksForm(forms.Form):
    """Tags with commas between them, and notes."""

    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        required=False,
        max_length=TAGS_OF_A_RUN * (TAG_CHARACTERS + 2),
        help_text=gettext_lazy("Words to find it by, with commas between them: urgent, 2nd try."),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=NOTES_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What was tried and why, for whoever reads this later. No texts of the data, please."),
    )


def marks_context(run: Run, *, may_change: bool) -> dict[str, Any]:
    """Return what the section of the run page shows; one query."""
    tags = [tag.name for tag in run.tags.all()]
    form = MarksForm(initial={"tags": ", ".join(tags), "notes": run.notes}, auto_id="mark_%s") if may_change else None
    return {"marks": {"tags": tags, "form": form, "may_archive": may_change and run.is_finished}}


@action
def mark(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what the form of the run page says."""
    run = access.changeable_run(person(request), pk)
    form = MarksForm(request.POST)
    if not form.is_valid():
        for field, errors in form.errors.items():
            messages.error(request, f"{form.fields[field].label}: {errors[0]}")
    else:
        try:
            update_run(run, tags=form.cleaned_data["tags"].split(","), notes=form.cleaned_data["notes"])
            messages.success(request, _("Saved."))
        except ServiceError as refusal:
            messages.error(request, refusal.message)
    return redirect(reverse("pages:run", args=[pk]) + "#marks")


@form_page
@needs(Role.TRAIN)
def archive(request: HttpRequest, *, is_archived: bool) -> HttpResponse:
    """Ask, then put the runs that `?runs=` names away, or take them back.

    Of those named only what somebody may change and what has ended is meant; others stay as they are.
    """
    user, back = person(request), _list_address(request.GET.get("back", ""))
    named = _named_runs(request.GET)
    if request.method == "POST":
        count = archive_runs(user, named, is_archived=is_archived)
        messages.success(request, _told(count, is_archived=is_archived))
        return redirect(back)
    chosen = list(archivable_runs(user, named, is_archived=is_archived).order_by("-pk"))
    if not chosen:
        messages.error(request, _nothing_to_do(is_archived=is_archived))
        return redirect(back)
    left_out = _seen_among(user, named) - len(chosen)
    return render(request, "_confirm.html", _question(chosen, left_out, back, is_archived=is_archived))


def _question(chosen: list[Run], left_out: int, back: str, *, is_archived: bool) -> dict[str, Any]:
    count = len(chosen)
    details = [f"{run.name} ({run.pk})" for run in chosen]
    if left_out:
        words = ngettext(
            "%(count)s run stays: it has not ended, is there already, or is not yours to change.",
            "%(count)s runs stay: they have not ended, are there already, or are not yours to change.",
            left_out,
        )
        details.append(words % {"count": left_out})
    if is_archived:
        question = ngettext("Archive %(count)s run?", "Archive %(count)s runs?", count)
        explanation = _("Lists no longer show what is in the archive, unless it is asked for. Nothing is deleted.")
    else:
        question = ngettext("Take %(count)s run back?", "Take %(count)s runs back?", count)
        explanation = _("Lists show it again.")
    return {
        "question": question % {"count": count},
        "explanation": explanation,
        "details": details,
        "verb": _("Archive") if is_archived else _("Take back"),
        "back": back,
    }


def _told(count: int, *, is_archived: bool) -> str:
    if is_archived:
        words = ngettext("%(count)s run is in the archive now.", "%(count)s runs are in the archive now.", count)
    else:
        words = ngettext("%(count)s run is back in the list.", "%(count)s runs are back in the list.", count)
    return words % {"count": count}


def _nothing_to_do(*, is_archived: bool) -> str:
    if is_archived:
        return _("Choose runs that have ended and that you may change.")
    return _("Choose runs of the archive that you may change.")


def _named_runs(query: QueryDict) -> set[int]:
    numbers = map(number_of, query.getlist("runs")[:CHOSEN_LIMIT])
    return {number for number in numbers if number is not None}


def _seen_among(user: User, named: set[int]) -> int:
    return len(access.seen_among(user, Run, named))


def _list_address(state: str) -> str:
    """Return the list in the state that it was in; what `?back=` says is no address, only the list's own parameters."""
    kept = QueryDict(state[:ADDRESS_CHARACTERS])
    pairs = [(name, value) for name, values in kept.lists() for value in values]
    return reverse("pages:runs") + (f"?{urlencode(pairs)}" if pairs else "")
