"""Forgets sessions that have run out: their rows, and from which address and browser they were."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone


def forget_ended_sessions() -> int:
    """Delete what no cookie opens any more; returns how many sessions."""
    ended = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return ended
