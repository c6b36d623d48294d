"""Ends the sessions of who is shut out, and forgets those that have run out: from which address and browser, too."""

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone


def forget_ended_sessions() -> int:
    """Delete what no cookie opens any more; returns how many sessions."""
    ended = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return ended


def end_sessions_of(person: User) -> None:
    """Sign somebody out everywhere: what was open when an account was switched off must not open again with it."""
    for row in UserSession.objects.filter(user=person):
        row.end()
