"""The queue in words: when a run is expected to start, and why it stands where it stands. Rough figures stay rough."""

from datetime import datetime, timedelta

from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from bert_training.services.queue_forecast import Outlook, Start, Unknown
from bert_training.services.worker_hours import clock_text

SOON = timedelta(minutes=1)  # an idle computer asks every 30 s
NEAR = timedelta(hours=1)  # until then minutes are said, later the time of day
ROUND_MINUTES = 5


def start_words(start: Start, now: datetime) -> str:
    """Say when a run is expected to start."""
    if start.latest is None:
        return _unknown_words(start, now)
    earliest, latest = start.earliest or now, start.latest
    if latest - now <= SOON:
        return _("at any moment")
    if latest - now <= NEAR:
        return _in_minutes(earliest - now, latest - now)
    if _rounded(earliest) - now <= SOON:  # rounded it may be over already
        return _("before %(time)s") % {"time": clock_text(_rounded(latest), now)}
    first = clock_text(_rounded(earliest), now)
    if _rounded(earliest) == _rounded(latest):
        return _("at about %(time)s") % {"time": first}
    last = clock_text(_rounded(latest), _rounded(earliest) if _is_one_day(earliest, latest) else now)
    return _("between %(first)s and %(last)s") % {"first": first, "last": last}


def _is_one_day(first: datetime, last: datetime) -> bool:
    return localdate(_rounded(first)) == localdate(_rounded(last))


def end_words(end: datetime, now: datetime) -> str:
    """Say when a running run is expected to end, at the latest."""
    return start_words(Start(end, end), now) if end - now > SOON else _("at any moment")


def turn_words(outlook: Outlook, *, priority: int, owner: str | None, is_own: bool) -> str:
    """Say why a run stands where it stands. owner: None where the reader may not know who it is."""
    if not outlook.number:
        return ""
    words = {"owner": owner, "number": outlook.number, "priority": priority}
    turn = _turn(outlook.number == 1, is_own=is_own, is_named=owner is not None) % words
    if priority > 0:
        return _("Priority %(priority)s goes before lower ones.") % words + " " + turn
    if priority < 0:
        return _("Priority %(priority)s goes after the usual 0.") % words + " " + turn
    return turn


def _turn(is_first: bool, *, is_own: bool, is_named: bool) -> str:
    """Return the sentence about turns, for the first run of somebody and for later ones."""
    if is_own and is_first:
        return _("Your first run in line: everybody's first goes before anybody's second.")
    if is_own:
        return _("Your run number %(number)s in line: the others' earlier ones take turns with yours.")
    if is_named and is_first:
        return _("The first run of %(owner)s in line: everybody's first goes before anybody's second.")
    if is_named:
        return _("Run number %(number)s of %(owner)s in line: the others' earlier ones take turns with it.")
    if is_first:
        return _("The first run of that person in line: everybody's first goes before anybody's second.")
    return _("Run number %(number)s of that person in line: the others' earlier ones take turns with it.")


def _unknown_words(start: Start, now: datetime) -> str:
    if start.unknown is Unknown.NO_COMPUTER:
        return _("unknown: no computer that can take it is there now")
    if start.unknown is Unknown.TOO_FAR:
        return _("unknown: too far back in the queue")
    if start.earliest is not None and _rounded(start.earliest) - now > SOON:
        return _("not before %(time)s") % {"time": clock_text(_rounded(start.earliest), now)}
    return _("unknown: nothing like the runs before it has been trained yet")


def _in_minutes(earliest: timedelta, latest: timedelta) -> str:
    first, last = _minutes(earliest), _minutes(latest)
    if first == last:
        return _("in about %(minutes)s min") % {"minutes": last}
    if earliest <= SOON:
        return _("within %(minutes)s min") % {"minutes": last}
    return _("in %(first)s to %(last)s min") % {"first": first, "last": last}


def _minutes(span: timedelta) -> int:
    """Round to five minutes, below five to whole ones."""
    minutes = span.total_seconds() / 60
    return max(1, round(minutes)) if minutes < ROUND_MINUTES else ROUND_MINUTES * round(minutes / ROUND_MINUTES)


def _rounded(moment: datetime) -> datetime:
    step = ROUND_MINUTES * 60
    return datetime.fromtimestamp(step * round(moment.timestamp() / step), tz=moment.tzinfo)
