"""The page that asks before an action is carried out: what it would be done to, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from bert_training.models.choices import Label

CONFIRMED = "confirmed"  # the field by which the page says yes


@dataclass(frozen=True)
class Question:
    """action: empty on a page of its own.  lines: what each row is called there; without them as everywhere."""

    title: str
    warning: Label
    verb: str
    back: str
    action: str = ""
    lines: Sequence[str] = ()


def ask(request: HttpRequest, site: AdminSite, question: Question, *, rows: Sequence[Model]) -> HttpResponse:
    """Show the question; the answer comes back as the same POST with CONFIRMED in it."""
    context = {
        **site.each_context(request),
        "title": question.title,
        "opts": rows[0]._meta,
        "rows": question.lines or rows,
        "chosen": [row.pk for row in rows],
        "action": question.action,
        "verb": question.verb,
        "confirmed": CONFIRMED,
        "warning": question.warning,
        "back": question.back,
    }
    return TemplateResponse(request, "admin/bert_training/confirm.html", context)
