"""Whom a session stands for; ends those of who is shut out, and forgets what has run out, address and browser too."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone


def person_of_session(session_key: str | None) -> User | None:
    """Return who is signed in by a session; None when it ran out, was ended, or the password was changed since."""
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    request: Any = SimpleNamespace(session=store(session_key))
    found = get_user(request)
    return found if isinstance(found, User) else None


def forget_ended_sessions() -> int:
    """Delete what no cookie opens any more; returns how many sessions."""
    ended = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return ended


def end_sessions_of(person: User) -> None:
    """Sign somebody out everywhere: what was open when an account was switched off must not open again with it."""
    for row in UserSession.objects.filter(user=person):
        row.end()
