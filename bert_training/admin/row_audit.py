"""What the audit holds about one row, for the page of its history; and how its events are written in one line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from bert_training.admin.audit_filters import is_row_number
from bert_training.admin.fact_words import fact_word
from bert_training.admin.facts import shown_fact
from bert_training.models import AuditEvent

SHOWN_EVENTS = 50


@dataclass(frozen=True)
class ShownEvent:
    """One line of the history."""

    time: str
    who: str
    what: str
    facts: str


def audit_of_row(request: HttpRequest, model: type[Model], number: str) -> dict[str, Any]:
    """Return the newest events about a row, and where all of them are, to those who may read the audit."""
    name = model._meta.model_name
    if not request.user.has_perm("bert_training.view_auditevent") or not is_row_number(number):
        return {}
    events = AuditEvent.objects.filter(target_kind=name, target_id=int(number)).order_by("-pk")[:SHOWN_EVENTS]
    url = f"{reverse('admin:bert_training_auditevent_changelist')}?target={name}:{number}"
    return {"audit_events": list(map(_shown, events)), "audit_url": url}


def facts_in_one_line(event: AuditEvent) -> str:
    """Return the facts of an event, each with its name."""
    return ", ".join(f"{fact_word(name)}: {_in_one_line(value)}" for name, value in event.facts.items()) or "-"


def shown_second(moment: datetime) -> str:
    """Return day and time to the second in the form of the language, for lists in which seconds tell rows apart."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {date_format(local, 'H:i:s')}"


def _shown(event: AuditEvent) -> ShownEvent:
    who = event.actor_name or event.worker_name or "-"
    return ShownEvent(shown_second(event.at), who, str(event.get_kind_display()), facts_in_one_line(event))


def _in_one_line(value: Any) -> str:
    return " ".join(map(str, map(shown_fact, value))) if isinstance(value, list) else str(shown_fact(value))
