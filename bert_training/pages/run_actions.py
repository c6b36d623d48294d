"""What can be done to a run: cancel, finish now, reproduce, cancel its repeats. Each asks first, then acts by POST."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.models import Run
from bert_training.pages.requests import TOO_MUCH, form_page, number_of, person, refused
from bert_training.services.errors import ServiceError
from bert_training.services.repeating.repeats import cancel_repeats
from bert_training.services.runs import cancel_run, finish_run, reproduce_run


@form_page
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then cancel."""

    def act(run: Run) -> Run:
        cancel_run(run)
        messages.success(request, _("The run is being canceled. What was learned so far is not kept."))
        return run

    return _ask_then(
        request,
        pk,
        act,
        question=_("Cancel this run?"),
        explanation=_("The computer stops at the next step. The log and the curves stay, a model is not kept."),
        verb=_("Cancel the run"),
        is_destructive=True,
    )


@form_page
def finish(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then end the training early with its best network."""

    def act(run: Run) -> Run:
        finish_run(run)
        messages.success(request, _("The training ends now; the best network so far is tested and kept."))
        return run

    return _ask_then(
        request,
        pk,
        act,
        question=_("Finish this run now?"),
        explanation=_("The training stops at the next step; the best network so far is tested and kept."),
        verb=_("Finish now"),
    )


@form_page
def reproduce(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then create the same run once more. ?dataset= names another one, such as this one corrected."""
    wanted = number_of(request.GET.get("dataset", ""))
    user = person(request)
    # On another dataset it is enough to reach that one: the first run's data are not read.
    find = access.reproducible_run if wanted is None else access.usable_run
    dataset = None if wanted is None else access.usable_dataset(user, wanted)
    if dataset is not None:
        explanation = _(
            "A new run is created on %(name)s, with the same seed, settings and base model: rows that the first run "
            "had stay in training, validation or test as they were."
        ) % {"name": f"“{dataset.name}”"}
    else:
        explanation = _("A new run is created with the same data, rows, seed, settings and base model.")

    def act(run: Run) -> Run:
        copy = reproduce_run(run, owner=user, dataset=dataset)
        words = (
            _("This run repeats run %(id)s with the same settings on other data.")
            if dataset
            else _("This run repeats run %(id)s with the same data and settings.")
        )
        messages.success(request, words % {"id": run.pk})
        return copy

    return _ask_then(
        request,
        pk,
        act,
        find=find,
        question=_("Reproduce this run?"),
        explanation=explanation,
        verb=_("Reproduce"),
    )


@form_page
def cancel_all_repeats(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then cancel every repeat of the run that has not ended."""

    def act(run: Run) -> Run:
        cancel_repeats(run)
        messages.success(request, _("The repeats are being canceled. Those that have ended stay."))
        return run

    return _ask_then(
        request,
        pk,
        act,
        question=_("Cancel all repeats of this run?"),
        explanation=_(
            "Repeats that wait or train end without a result. Those that have ended stay, and so does the run."
        ),
        verb=_("Cancel all repeats"),
        is_destructive=True,
    )


def _ask_then(
    request: HttpRequest,
    pk: int,
    act: Callable[[Run], Run],
    *,
    find: Callable[[User, int], Run] = access.changeable_run,
    is_destructive: bool = False,
    **words: str,
) -> HttpResponse:
    """Show the question; on POST act and go to the run that `act` returns. What is refused becomes a message.

    find: returns the run to who may do this, and refuses it to others. Where a limit refuses it the question stays, to
    be answered again later.
    """
    run = find(person(request), pk)
    refusal: ServiceError | None = None
    if request.method == "POST":
        try:
            return redirect("pages:run", pk=act(run).pk)
        except ServiceError as error:
            messages.error(request, error.message)
            refusal = error
        if refusal.http_status != TOO_MUCH:
            return redirect("pages:run", pk=run.pk)
    context = {**words, "is_destructive": is_destructive, "subject": run.name, "back": reverse("pages:run", args=[pk])}
    return refused(render(request, "_confirm.html", context), refusal)
