"""What one is told: the list behind the bell, reading it, and the choice of what to be told and how."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from bert_training.contract.enums import NoticeKind
from bert_training.models import Notification
from bert_training.models.choices import NOTICE_LABELS
from bert_training.pages.requests import action, form_page, page, page_of, person
from bert_training.services.notifying.choices import Wishes, choose, wishes_of
from bert_training.services.notifying.inbox import MOST_COUNTED, inbox_of, mark_read, unread_count
from bert_training.services.notifying.recipients import kinds_for
from bert_training.services.notifying.words import tell

IN_PAGE, BY_EMAIL = "page", "email"  # names of the columns of boxes


def bell(request: HttpRequest) -> dict[str, Any]:
    """Give every template the number beside the bell; it is counted only where it is shown."""
    user = getattr(request, "user", AnonymousUser())
    return {"unread": SimpleLazyObject(lambda: shown_count(user)) if isinstance(user, User) else ""}


def shown_count(user: User) -> str:
    """Write how many notifications are new: empty for none, 99+ for many."""
    count = unread_count(user)
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count or "")


@page
def list_notifications(request: HttpRequest) -> HttpResponse:
    """List what one is told, the newest first."""
    shown = page_of(request, inbox_of(person(request)))
    for notification in shown.object_list:
        notification.told = tell(notification.occurrence)
    return render(request, "notifications/list.html", {"page": shown})


@action
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Note that a notification was read, then show what it is about."""
    told = inbox_of(person(request))
    notification: Notification = get_object_or_404(told, pk=pk)
    mark_read(told.filter(pk=pk))
    return redirect(tell(notification.occurrence).path)


@action
def read_all(request: HttpRequest) -> HttpResponse:
    """Note that everything was read that the page showed: what came meanwhile stays new."""
    newest = request.POST.get("newest", "")
    if newest.isascii() and newest.isdecimal():
        mark_read(inbox_of(person(request)).filter(pk__lte=int(newest[:18])))
    return redirect("pages:notifications")


@form_page
def choose_notifications(request: HttpRequest) -> HttpResponse:
    """Ask what one wants to be told, in the page and by e-mail."""
    user = person(request)
    offered = kinds_for(user)
    if request.method == "POST":
        mailed = request.POST.getlist(BY_EMAIL) if settings.HAS_EMAIL else None
        choose(user, offered=offered, in_page=request.POST.getlist(IN_PAGE), mailed=mailed)
        messages.success(request, _("Your choice is kept."))
        return redirect("pages:notification-choices")
    context = {"rows": _rows(offered, wishes_of([user])[user.pk]), "has_email": settings.HAS_EMAIL}
    return render(request, "notifications/choices.html", context)


def _rows(offered: list[NoticeKind], wishes: Wishes) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind.value,
            "label": NOTICE_LABELS[kind],
            "in_page": wishes.in_page(kind),
            "by_email": wishes.by_email(kind),
        }
        for kind in offered
    ]
