"""What was deleted, and whether it is gone everywhere: the owner sees their own deletions, staff all.

Where a computer cannot confirm any more, staff say by hand how they know that nothing is left on it.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training import access
from bert_training.models import Dataset, Erasure, ErasureCopy
from bert_training.pages.requests import action, page, page_of, person
from bert_training.services.erasures import REASON_CHARACTERS, machines_with, settle_by_hand
from bert_training.services.errors import ServiceError

COPIES = Prefetch("copies", ErasureCopy.objects.select_related("worker", "settled_by"))


@page
def list_erasures(request: HttpRequest) -> HttpResponse:
    """List the deletions that somebody may see, the newest first."""
    user = person(request)
    rows = access.erasures_visible_to(user).select_related("owner", "deleted_by").prefetch_related(COPIES)
    shown = page_of(request, rows)
    for erasure in shown.object_list:
        erasure.words = progress_words(erasure)
    context = {"page": shown, "shows_owners": access.may_administer(user)}
    return render(request, "erasures/list.html", context)


@page
def show_erasure(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one deletion with every computer that had a copy."""
    user = person(request)
    erasure = access.visible_erasure(user, pk)
    context: dict[str, Any] = {
        "erasure": erasure,
        "copies": list(erasure.copies.select_related("worker", "settled_by")),
        "words": progress_words(erasure),
        "may_settle": access.may_administer(user),
        "reason_characters": REASON_CHARACTERS,
    }
    return render(request, "erasures/detail.html", context)


@action
def settle_copy(request: HttpRequest, pk: int, copy: int) -> HttpResponse:
    """Take the word of staff that nothing is left on a computer."""
    user = person(request)
    erasure = access.visible_erasure(user, pk)
    if not access.may_administer(user):
        raise PermissionDenied
    row = erasure.copies.filter(pk=copy).first()
    if row is None:
        raise Http404(_("There is no such computer in this deletion."))
    try:
        settle_by_hand(row, by=user, reason=request.POST.get("reason", ""))
    except ServiceError as refusal:
        messages.error(request, refusal.message)
    return redirect("pages:erasure", pk=pk)


def progress_words(erasure: Erasure) -> str:
    """Say in one sentence what is left."""
    if erasure.is_whole:
        return _("Gone everywhere.")
    if not erasure.waiting_copies:
        return _("The file store could not be reached: it is tried again every day.")
    words = ngettext(
        "%(count)d computer has not confirmed yet.",
        "%(count)d computers have not confirmed yet.",
        erasure.waiting_copies,
    )
    return words % {"count": erasure.waiting_copies}


def deletion_details(dataset: Dataset) -> list[str]:
    """Say before a deletion what goes, what stays, and where copies are."""
    details = [
        _("The portal deletes the file, the table, the reports, the profile, workbooks, and predictions of its runs."),
        _("Runs on it keep their figures, the names of their labels, and the name and digest of the data."),
    ]
    names = sorted({name for _worker, name, _machine in machines_with(dataset)})
    if names:
        words = ngettext(
            "%(count)d computer has trained on it (%(names)s): it deletes its copies at its next contact and confirms.",
            "%(count)d computers have trained on it (%(names)s): they delete their copies at their next contact and "
            "confirm.",
            len(names),
        )
        details.append(words % {"count": len(names), "names": ", ".join(names)})
        details.append(_("Trained models stay on the computers that keep them."))
    made_of_it = Dataset.objects.filter(derived_from=dataset, deleted_at=None).count()
    if made_of_it:
        words = ngettext(
            "%(count)d dataset was made from it and stays: delete it too if its texts shall go.",
            "%(count)d datasets were made from it and stay: delete them too if their texts shall go.",
            made_of_it,
        )
        details.append(words % {"count": made_of_it})
    details.append(_("Backups of the portal are not reached: they keep a copy until they are replaced."))
    return details
