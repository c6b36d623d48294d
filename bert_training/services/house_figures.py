"""What happened in the house in the last four weeks, and who uses how much: a few queries, whatever the tables hold.

For staff: counts of everybody's rows, without a name of a run or a text.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F
from django.db.models.functions import TruncDate
from django.utils import timezone

from bert_training.contract.enums import JobStatus, QuotaKind
from bert_training.models import JobAttempt, Run, Team
from bert_training.services.quota_use import used_by

DAYS = 29  # four weeks and today
ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED)
SECONDS_A_MINUTE = 60


def last_days() -> list[date]:
    """Return the days that are counted, oldest first, as people of this time zone live them."""
    today = timezone.localdate()
    return [today - timedelta(days=DAYS - 1 - place) for place in range(DAYS)]


def ended_by_day() -> dict[JobStatus, list[int]]:
    """Count the runs that ended on each of the last days, by how they ended."""
    days = last_days()
    ended = Run.objects.filter(finished_at__gte=_beginning(days[0]), status__in=ENDED, is_example=False)
    rows = ended.values_list("status", TruncDate("finished_at")).annotate(Count("pk")).order_by()
    counted = {(status, day): count for status, day, count in rows}
    return {status: [counted.get((status.value, day), 0) for day in days] for status in ENDED}


def minutes_waited_by_day() -> dict[date, float]:
    """Return how long runs that were begun on a day had waited in the queue, on the average; days without any lack."""
    waited = ExpressionWrapper(F("started_at") - F("job__created_at"), output_field=DurationField())
    own = JobAttempt.objects.filter(number=1, job__run__is_example=False)  # the example was trained elsewhere, before
    begun = own.filter(started_at__gte=_beginning(last_days()[0]))
    rows = begun.values_list(TruncDate("started_at")).annotate(mean=Avg(waited)).order_by()
    return {day: max(0.0, mean.total_seconds() / SECONDS_A_MINUTE) for day, mean in rows}


def failures_by_reason() -> dict[str, int]:
    """Count the runs that failed in the last days, by the code of the reason."""
    failed = Run.objects.filter(finished_at__gte=_beginning(last_days()[0]), status=JobStatus.FAILED)
    return dict(failed.values_list("error_code").annotate(Count("pk")).order_by())


def used_by_everybody(kind: QuotaKind) -> Mapping[int, int]:
    """Return how much each person has of what quotas limit; GPU time in seconds."""
    return used_by(kind, frozenset(User.objects.values_list("pk", flat=True)))


def by_person(used: Mapping[int, int]) -> dict[str, int]:
    """Name the people who use something."""
    names = dict(User.objects.filter(pk__in=used).values_list("pk", "username"))
    return {names[person]: amount for person, amount in used.items() if amount and person in names}


def by_team(used: Mapping[int, int]) -> dict[str, int]:
    """Add up what the members of each team use; who belongs to several counts in each."""
    members = Team.members.through.objects.filter(user__in=used).values_list("team__name", "user_id")
    totals: Counter[str] = Counter()
    for team, person in members:
        totals[team] += used[person]
    return {team: amount for team, amount in totals.items() if amount}


def _beginning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
