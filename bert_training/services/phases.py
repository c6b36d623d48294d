"""How long each phase of an attempt took, by the database's clock: counted as it changes, shown wherever a run is."""

from datetime import datetime
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from bert_training.contract.enums import Phase
from bert_training.models import JobAttempt
from bert_training.models.choices import PHASE_LABELS

NO_BREAK = "\u00a0"
COLUMNS = ("phase", "phase_since", "phase_seconds")


def enter_phase(attempt: JobAttempt, phase: Phase) -> None:
    """Note on a locked attempt that another phase began; the caller saves COLUMNS. Costs one query, and only then."""
    if attempt.phase == phase:
        return
    before = attempt.phase or Phase.PREPARING.value
    now: datetime = JobAttempt.objects.filter(pk=attempt.pk).values_list(Now(), flat=True).get()
    spent = attempt.phase_seconds.get(before, 0.0) + _seconds_between(_phase_began(attempt), now)
    attempt.phase_seconds = {**attempt.phase_seconds, before: round(spent, 3)}
    attempt.phase, attempt.phase_since = phase.value, now


def phases_of(attempt: JobAttempt) -> list[dict[str, Any]]:
    """Return the phases of an attempt in the order in which they happen, with seconds and words."""
    seconds = dict(attempt.phase_seconds)
    if attempt.phase:
        last = _seconds_between(_phase_began(attempt), attempt.ended_at or timezone.now())
        seconds[attempt.phase] = seconds.get(attempt.phase, 0.0) + last
    return [
        {
            "phase": phase.value,
            "seconds": round(seconds[phase], 1),
            "text": f"{PHASE_LABELS[phase]} {duration_text(seconds[phase])}",
        }
        for phase in Phase
        if phase in seconds
    ]


def duration_text(seconds: float) -> str:
    """Write a duration with its two largest units, in one piece: 125 seconds are "2 min 5 s"."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = (hours, "h", minutes, "min") if hours else (minutes, "min", left, "s") if minutes else (left, "s")
    return NO_BREAK.join(str(part) for part in parts)


def _phase_began(attempt: JobAttempt) -> datetime:
    return attempt.phase_since or attempt.started_at


def _seconds_between(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())  # a clock may have been set back
