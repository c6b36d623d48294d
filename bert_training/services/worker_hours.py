"""In which hours of the week a worker claims, in the portal's time zone. A job that runs is never interrupted by them.

A worker without windows claims at any time. Windows stand in `Worker.hours` as {"days": [0..6], "begin", "end"}.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bert_training.contract.enums import AuditKind
from bert_training.contract.limits import IDLE_RETRY_AFTER_SECONDS
from bert_training.models import Worker
from bert_training.services.audit import record
from bert_training.services.transactions import short_transaction

StrOrPromise = str | Promise
MOST_WINDOWS = 3  # a night, a weekend, a lunch break
WEEK = range(7)
LONGEST_RETRY_SECONDS = 60  # somebody may change the hours meanwhile
MIDNIGHT = time()


@dataclass(frozen=True)
class Window:
    """Hours that begin on some days of the week (0 = Monday); an end not after the beginning is on the next day."""

    days: frozenset[int]
    begin: time
    end: time

    def span(self, day: date) -> tuple[datetime, datetime]:
        """Return beginning and end of the window that begins on a day, in UTC: a clock change moves them rightly."""
        zone = timezone.get_default_timezone()
        last_day = day + timedelta(days=self.end <= self.begin)
        begins, ends = datetime.combine(day, self.begin, zone), datetime.combine(last_day, self.end, zone)
        return begins.astimezone(UTC), ends.astimezone(UTC)

    def as_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return {"days": sorted(self.days), "begin": f"{self.begin:%H:%M}", "end": f"{self.end:%H:%M}"}


# For PCs that people work at by day.
NIGHTS_AND_WEEKENDS = (
    Window(frozenset(range(4)), time(19), time(7)),
    Window(frozenset({4}), time(19), MIDNIGHT),
    Window(frozenset({5, 6}), MIDNIGHT, MIDNIGHT),
)


def windows_of(worker: Worker) -> list[Window]:
    """Return the windows of a worker; none = it claims at any time."""
    return [
        Window(frozenset(each["days"]), time.fromisoformat(each["begin"]), time.fromisoformat(each["end"]))
        for each in worker.hours
    ]


@short_transaction
def set_worker_hours(worker: Worker, windows: Sequence[Window]) -> None:
    """Say in which hours a worker claims; no windows = at any time."""
    worker.hours = [window.as_json() for window in windows]
    Worker.objects.filter(pk=worker.pk).update(hours=worker.hours)
    record(AuditKind.WORKER_CHANGED, target=worker, did="changed", fields=["hours"], windows=len(windows))


def is_within(worker: Worker, moment: datetime) -> bool:
    """Tell whether a worker may claim at a moment."""
    return not worker.hours or any(begin <= moment < end for begin, end in _spans(worker, moment))


def next_opening(worker: Worker, moment: datetime) -> datetime | None:
    """Return when a worker may claim again; None where it may at that moment."""
    if is_within(worker, moment):
        return None
    return min(begin for begin, _end in _spans(worker, moment) if begin > moment)


def closes_at(worker: Worker, moment: datetime) -> datetime | None:
    """Return when the hours that run at a moment end; None where none do, and where they never end."""
    latest = moment
    for begin, end in sorted(_spans(worker, moment)):
        if begin <= latest < end:
            latest = end
    return latest if moment < latest < moment + timedelta(days=7) else None


def retry_after(worker: Worker) -> int:
    """Return after how many seconds a worker that got nothing may ask again."""
    now = timezone.now()
    opening = next_opening(worker, now)
    wait = (opening - now).total_seconds() if opening else 0
    return round(min(max(IDLE_RETRY_AFTER_SECONDS, wait), LONGEST_RETRY_SECONDS))


def _spans(worker: Worker, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """List the windows from the day before a moment to a week after it."""
    today = timezone.localdate(moment, timezone.get_default_timezone())
    for window in windows_of(worker):
        for offset in range(-1, 9):
            day = today + timedelta(days=offset)
            if day.weekday() in window.days:
                yield window.span(day)


# --- in words -----------------------------------------------------------------------------------------------------


def outside_words(worker: Worker, moment: datetime) -> str:
    """Say until when a worker is outside its hours; empty while it may claim."""
    opening = next_opening(worker, moment)
    return _("outside its hours until %(time)s") % {"time": clock_text(opening, moment)} if opening else ""


def hours_text(worker: Worker) -> str:
    """Say in which hours a worker takes runs."""
    return "; ".join(window_text(window) for window in windows_of(worker)) or _("at any time")


def window_text(window: Window) -> str:
    """Write "Mon to Fri, 19:00 to 07:00"."""
    clocks = {"begin": f"{window.begin:%H:%M}", "end": f"{window.end:%H:%M}"}
    is_whole_day = window.begin == window.end == MIDNIGHT
    hours = _("all day") if is_whole_day else _("%(begin)s to %(end)s") % clocks
    return f"{days_text(window.days)}, {hours}"


def days_text(days: frozenset[int]) -> str:
    """Write days of the week, three and more in a row as "Mon to Fri"."""
    if len(days) == len(WEEK):
        return _("every day")
    parts: list[str] = []
    for first in (day for day in sorted(days) if day - 1 not in days):
        last = first
        while last + 1 in days:
            last += 1
        names = [_in_a_sentence(WEEKDAYS_ABBR[day]) for day in range(first, last + 1)]
        is_row = len(names) > 2
        parts += [_("%(first)s to %(last)s") % {"first": names[0], "last": names[-1]}] if is_row else names
    return ", ".join(parts)


def clock_text(moment: datetime, now: datetime) -> str:
    """Write a time near at hand: "19:00" of today, "tomorrow 19:00", "Monday 19:00"."""
    zone = timezone.get_default_timezone()
    local, today = timezone.localtime(moment, zone), timezone.localdate(now, zone)
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return clock
    if local.date() == today + timedelta(days=1):
        return _("tomorrow %(time)s") % {"time": clock}
    return f"{_in_a_sentence(WEEKDAYS[local.weekday()])} {clock}"


def _in_a_sentence(day: StrOrPromise) -> str:
    """Write a day as Portuguese does within a sentence, where Django's names begin with a capital."""
    return str(day).lower() if (get_language() or "").startswith("pt") else str(day)
