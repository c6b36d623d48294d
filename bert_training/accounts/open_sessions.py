"""Where somebody is signed in, and how to end that from elsewhere."""

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from bert_training.accounts.browsers import describe_browser
from bert_training.contract.enums import AuditKind
from bert_training.services.audit import record
from bert_training.services.sessions import person_of_session


@dataclass(frozen=True)
class OpenSession:
    """One session for the list."""

    id: int
    browser: str
    address: str
    since: datetime
    last_seen: datetime
    is_current: bool


def open_sessions(request: HttpRequest) -> list[OpenSession]:
    """List the sessions in which the person of this one is signed in, this one first, then the last used."""
    rows = [row for row in _rows(request) if person_of_session(row.session_key) is not None]
    rows.sort(key=lambda row: (row.session_key != request.session.session_key, -row.last_seen_at.timestamp()))
    return [
        OpenSession(
            row.pk,
            describe_browser(row.user_agent),
            row.ip,
            row.created_at,
            row.last_seen_at,
            row.session_key == request.session.session_key,
        )
        for row in rows
    ]


def end_session(request: HttpRequest, number: int) -> None:
    """End one other session of the person's; one that is not theirs is not touched."""
    _end([row for row in _others(request) if row.pk == number])


def end_other_sessions(request: HttpRequest) -> None:
    """Sign the person out everywhere else."""
    _end(_others(request))


def _rows(request: HttpRequest) -> list[UserSession]:
    return list(UserSession.objects.filter(user=request.user))


def _others(request: HttpRequest) -> list[UserSession]:
    return [row for row in _rows(request) if row.session_key != request.session.session_key]


def _end(rows: list[UserSession]) -> None:
    for row in rows:
        row.end()
    if rows:
        record(AuditKind.SESSIONS_ENDED, sessions=len(rows))
