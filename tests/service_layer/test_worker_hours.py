"""A worker claims in its hours only, by the portal's clock and time zone; what it holds it may always go on with."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone
from django.utils.translation import override

from bert_training.contract.enums import Outcome, Reason
from bert_training.models import AuditEvent, Job, Run, Worker
from bert_training.services.claims import claim_job
from bert_training.services.jobs import requeue
from bert_training.services.worker_hours import (
    NIGHTS_AND_WEEKENDS,
    Window,
    closes_at,
    hours_text,
    is_within,
    next_opening,
    outside_words,
    retry_after,
    set_worker_hours,
)
from tests.personas import claim, claim_request, make_run

ZONE = ZoneInfo("America/Sao_Paulo")
MONDAY = datetime(2026, 3, 2, tzinfo=ZONE)
NIGHT = Window(frozenset(range(5)), time(19), time(7))


def with_hours(*windows: Window) -> Worker:
    return Worker(hours=[window.as_json() for window in windows])


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of the week that begins with MONDAY."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(0, 18, 59), False),
        (at(0, 19), True),
        (at(1, 3), True),
        (at(1, 7), False),
        (at(4, 23), True),
        (at(5, 6, 59), True),  # Friday's night ends on Saturday
        (at(5, 19), False),
        (at(7, 3), False),  # no window begins on a Sunday
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: datetime, is_open: bool) -> None:
    assert is_within(with_hours(NIGHT), moment) is is_open


def test_a_worker_without_hours_claims_at_any_time() -> None:
    worker = Worker()
    assert is_within(worker, at(3, 12))
    assert next_opening(worker, at(3, 12)) is closes_at(worker, at(3, 12)) is None
    assert hours_text(worker) in ("at any time", "a qualquer hora")


def test_the_next_opening_and_closing_are_found_over_days_and_joined_windows() -> None:
    worker = with_hours(NIGHT)
    assert next_opening(worker, at(0, 12)) == at(0, 19)
    assert next_opening(worker, at(5, 8)) == at(7, 19)
    assert next_opening(worker, at(1, 3)) is None
    assert closes_at(worker, at(1, 3)) == at(1, 7)
    joined = with_hours(*NIGHTS_AND_WEEKENDS)
    assert closes_at(joined, at(4, 20)) == at(7, 0)
    assert next_opening(joined, at(2, 12)) == at(2, 19)
    always = with_hours(Window(frozenset(range(7)), time(), time()))
    assert is_within(always, at(6, 23, 59))
    assert closes_at(always, at(2, 2)) is None


def test_a_change_of_the_clock_does_not_shift_the_hours() -> None:
    """New York: at 2 o'clock of the 8th of March 2026 it is 3 o'clock."""
    with override_settings(TIME_ZONE="America/New_York"):  # Django itself forgets the zone that it knew
        zone = ZoneInfo("America/New_York")
        worker = with_hours(Window(frozenset({5}), time(19), time(7)))
        assert is_within(worker, datetime(2026, 3, 8, 6, 59, tzinfo=zone))
        assert not is_within(worker, datetime(2026, 3, 8, 7, 1, tzinfo=zone))


def test_hours_are_said_in_words() -> None:
    worker = with_hours(NIGHT, Window(frozenset({5, 6}), time(), time()))
    with override("en"):
        assert hours_text(worker) == "Mon to Fri, 19:00 to 07:00; Sat, Sun, all day"
        assert outside_words(worker, at(0, 12)) == "outside its hours until 19:00"
        assert outside_words(with_hours(NIGHT), at(5, 8)) == "outside its hours until Monday 19:00"
        assert outside_words(with_hours(NIGHT), at(6, 8)) == "outside its hours until tomorrow 19:00"
        assert outside_words(worker, at(0, 20)) == ""


def closed(worker: Worker, seconds: int = 7200) -> None:
    """Close a worker now, for at least so long; tests may run at any time of any day."""
    opening = timezone.localtime() + timedelta(seconds=seconds)
    later = opening + timedelta(minutes=1)
    set_worker_hours(worker, [Window(frozenset({opening.weekday()}), opening.time(), later.time())])


def test_outside_its_hours_a_worker_gets_nothing_and_is_told_when_to_ask(run: Run, worker: Worker) -> None:
    closed(worker)
    assert claim_job(worker, claim_request()) is None
    assert Job.objects.get().status == "queued"
    assert retry_after(worker) == 60
    set_worker_hours(worker, [])
    assert retry_after(worker) == 5
    assert claim(worker).run_id == run.pk
    facts = [event.facts["windows"] for event in AuditEvent.objects.filter(kind="worker_changed").order_by("pk")]
    assert facts == [1, 0]


def test_a_job_that_is_held_goes_on_outside_the_hours_also_after_a_restart(running_job: Job, worker: Worker) -> None:
    closed(worker)
    again = claim(worker, instance="machine-1:2")
    assert (again.job_id, again.held, again.attempt) == (running_job.pk, True, 2)


def test_a_job_that_was_lost_is_another_workers_once_its_own_is_outside_its_hours(
    running_job: Job, worker: Worker, other_worker: Worker, ana: User
) -> None:
    Job.objects.update(checkpoint_step=4)
    running_job.refresh_from_db()
    requeue(running_job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    closed(worker)
    assert claim_job(worker, claim_request()) is None
    assert claim_job(other_worker, claim_request(instance="machine-2:1")) is None  # for the ten minutes of the hold
    Job.objects.update(hold_until=timezone.now() - timedelta(seconds=1))
    assert claim(other_worker, instance="machine-2:1").job_id == running_job.pk
    make_run(ana)
    assert claim_job(worker, claim_request()) is None
