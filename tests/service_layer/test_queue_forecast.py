"""When waiting runs are expected to start: rough, the same for the same rows, and unknown where nobody can know."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from bert_training.contract.enums import Outcome
from bert_training.models import Dataset, Job, JobAttempt, Run, Team, Worker
from bert_training.services import queue_entries
from bert_training.services.past_durations import PastDurations
from bert_training.services.queue_entries import waiting_entries
from bert_training.services.queue_forecast import Outlook, Start, Unknown, outlook, queued_jobs
from bert_training.services.queue_words import end_words, start_words, turn_words
from bert_training.services.worker_hours import Window, set_worker_hours
from bert_training.tasks import TASKS
from tests.personas import make_run, make_worker

MINUTE = timedelta(minutes=1)


def there(worker: Worker, **changes: Any) -> Worker:
    """Let a worker be online and able."""
    Worker.objects.filter(pk=worker.pk).update(last_seen_at=timezone.now(), tasks=list(TASKS), **changes)
    worker.refresh_from_db()
    return worker


def outlook_of(run: Run) -> Outlook:
    return outlook(list(queued_jobs()))[run.job.pk]


def start_of(run: Run) -> Start:
    return outlook_of(run).start


def minutes_until(moment: datetime | None) -> float:
    assert moment is not None
    return round((moment - timezone.now()) / MINUTE, 1)


def remember(job: Job, minutes: float) -> None:
    """Note that an attempt like this job was completed in so many minutes."""
    now = timezone.now()
    attempt = {"worker": Worker.objects.all()[0], "number": 1, "started_at": now - minutes * MINUTE, "ended_at": now}
    JobAttempt.objects.create(job=job, outcome=Outcome.COMPLETED, **attempt)


def test_a_free_computer_takes_the_next_run_at_any_moment(run: Run, worker: Worker) -> None:
    there(worker)
    assert -1 < minutes_until(start_of(run).latest) <= 0.1


def test_a_run_waits_for_what_the_computer_says_of_its_work(
    running_job: Job, worker: Worker, ana: User, dataset: Dataset
) -> None:
    there(worker)
    JobAttempt.objects.update(expected_end=timezone.now() + 40 * MINUTE)
    first, second = make_run(ana, dataset), make_run(ana, dataset)
    start = start_of(first)
    assert (minutes_until(start.earliest), minutes_until(start.latest)) == pytest.approx((20, 40), abs=0.2)
    after = start_of(second)
    assert (after.latest, after.unknown) == (None, Unknown.NO_EXPERIENCE)
    remember(make_run(ana, dataset).job, 10)
    after = start_of(second)
    assert (minutes_until(after.earliest), minutes_until(after.latest)) == pytest.approx((28, 52.5), abs=0.2)


def test_a_second_computer_halves_the_wait(running_job: Job, worker: Worker, ana: User, dataset: Dataset) -> None:
    there(worker)
    JobAttempt.objects.update(expected_end=timezone.now() + 40 * MINUTE)
    make_run(ana, dataset)
    second = make_run(ana, dataset)
    there(make_worker("gpu-9"))
    assert minutes_until(start_of(second).latest) == pytest.approx(40, abs=0.2)


@pytest.mark.parametrize(
    "changes",
    [{"active": False}, {"draining": True}, {"state": "stopped"}, {"tasks": ["seq2seq"]}, {"simulates": True}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_computer_that_takes_no_such_run_does_not_count(run: Run, worker: Worker, changes: dict[str, Any]) -> None:
    there(worker)
    Worker.objects.update(**changes)
    assert start_of(run) == Start(unknown=Unknown.NO_COMPUTER)


def test_a_computer_of_a_team_counts_for_its_people_only(run: Run, worker: Worker, team: Team, carla: User) -> None:
    there(worker, team=team)
    strangers = make_run(carla)
    assert start_of(run).latest is not None
    assert start_of(strangers).unknown is Unknown.NO_COMPUTER


def test_a_run_bound_to_a_computer_waits_for_that_one(run: Run, worker: Worker, other_worker: Worker) -> None:
    there(other_worker, features=["initial_weights"])
    Job.objects.update(bound_to=worker)
    assert start_of(run).unknown is Unknown.NO_COMPUTER
    there(worker, features=["initial_weights"])
    assert start_of(run).latest is not None


def test_a_run_that_is_held_goes_first_and_to_its_computer_alone(
    running_job: Job, worker: Worker, other_worker: Worker, ana: User
) -> None:
    there(worker)
    JobAttempt.objects.update(expected_end=timezone.now() + 40 * MINUTE)
    held = make_run(ana)
    Job.objects.filter(run=held).update(hold_worker=worker, hold_until=timezone.now() + 10 * MINUTE)
    there(other_worker)
    assert minutes_until(start_of(held).latest) == pytest.approx(40, abs=0.2)


def test_the_hours_of_a_computer_are_waited_for(run: Run, worker: Worker) -> None:
    opening = (timezone.localtime() + timedelta(hours=3)).replace(second=0, microsecond=0)
    set_worker_hours(worker, [Window(frozenset({opening.weekday()}), opening.time(), opening.time())])
    there(worker)
    start = start_of(run)
    assert start.earliest == start.latest == opening


def test_a_long_run_is_estimated_from_short_ones_with_a_wider_range() -> None:
    kind = ("text-classification", False, "bert")
    past = PastDurations([(kind, 100.0, 60.0), (kind, 100.0, 60.0), (kind, 100.0, 60.0), (kind, 100.0, 120.0)])
    assert past.estimate(kind, 100) == (60 / 1.25, 120 * 1.25)
    assert past.estimate(kind, 1000) == (600 / 2.5, 1200 * 2.5)
    assert past.estimate(("token-classification", False, "bert"), 100) is None


def test_each_persons_runs_are_counted_and_the_cost_does_not_grow(
    ana: User, carla: User, dataset: Dataset, worker: Worker
) -> None:
    there(worker)
    runs = [make_run(ana, dataset), make_run(ana, dataset), make_run(carla), make_run(ana, dataset)]
    with CaptureQueriesContext(connection) as few:
        found = outlook(list(queued_jobs()))
    assert [found[run.job.pk].number for run in runs] == [1, 2, 1, 3]
    for _ in range(3):
        make_run(ana, dataset)
    with CaptureQueriesContext(connection) as many:
        outlook(list(queued_jobs()))
    assert len(many) == len(few) == 4


def test_what_is_far_back_is_shown_and_nothing_is_expected_of_it(
    ana: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_entries, "FRONT", 2)
    for _ in range(3):
        make_run(ana, dataset)
    entries = waiting_entries(ana, first=1, count=3)
    assert [entry.position for entry in entries] == [1, 2, 3]
    reasons = [entry.outlook.start.unknown for entry in entries if entry.outlook]
    assert reasons == [Unknown.NO_COMPUTER, Unknown.NO_COMPUTER, Unknown.TOO_FAR]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        ((0, 0), "at any moment"),
        ((0, 22), "within 20 min"),
        ((10, 40), "in 10 to 40 min"),
        ((41, 42), "in about 40 min"),
        ((90, 240), "between 13:30 and 16:00"),
        ((0, 240), "before 16:00"),
        ((2, 240), "before 16:00"),  # rounded it would have begun at 12:00, which is now
        ((2, None), "unknown: nothing like the runs before it has been trained yet"),
        ((90, 91), "at about 13:30"),
        ((90, 60 * 24), "between 13:30 and tomorrow 12:00"),
        ((60 * 24, 60 * 26), "between tomorrow 12:00 and 14:00"),
        ((60 * 48, 60 * 72), "between Wednesday 12:00 and Thursday 12:00"),
        ((90, None), "not before 13:30"),
        ((0, None), "unknown: nothing like the runs before it has been trained yet"),
    ],
)
def test_the_start_is_said_as_roughly_as_it_is_known(minutes: tuple[float, float | None], words: str) -> None:
    now = timezone.make_aware(datetime(2026, 3, 2, 12))
    early, late = minutes
    start = Start(now + early * MINUTE, None if late is None else now + late * MINUTE)
    with override("en"):
        assert start_words(start, now) == words
        assert end_words(now, now) == "at any moment"


def test_why_a_run_stands_where_it_stands_is_one_sentence() -> None:
    first, third = Outlook(Start(), 1), Outlook(Start(), 3)
    with override("en"):
        assert turn_words(first, priority=0, owner="ana", is_own=True).startswith("Your first run in line")
        assert turn_words(third, priority=0, owner="ana", is_own=False).startswith("Run number 3 of ana in line")
        assert "ana" not in turn_words(third, priority=0, owner=None, is_own=False)
        assert turn_words(first, priority=5, owner=None, is_own=False).startswith("Priority 5 goes before lower ones.")
        assert turn_words(first, priority=-2, owner=None, is_own=False).startswith("Priority -2 goes after")
