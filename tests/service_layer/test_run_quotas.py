"""What one person and a team may start: runs in the queue, GPU minutes a month. What runs already is never ended."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone, translation
from pytest_django import Settings

from bert_training.contract.enums import JobStatus, RepeatKind
from bert_training.models import Dataset, DeletedGpuTime, Job, JobAttempt, Quota, Run, Team, Worker
from bert_training.services import runs
from bert_training.services.errors import QuotaExceeded
from bert_training.services.quota_use import month_of
from bert_training.services.quotas import uses_of
from bert_training.services.repeating.repeats import repeat_run
from bert_training.services.runs import delete_run, prepare_run, reproduce_run, store_run
from tests.pages.training import train
from tests.personas import BASE_MODEL, claim, make_run, make_user, ready_dataset

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, 3, tzinfo=UTC)  # in São Paulo


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def march(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the tenth of March for the quotas."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def completed_run(run: Run, worker: Worker) -> Run:
    """A run of ana's that has ended well."""
    return train(worker, run)


def attempt(run: Run, started_at: datetime, ended_at: datetime, number: int = 1) -> None:
    """Write an attempt that has ended."""
    job, worker = Job.objects.get(run=run), Worker.objects.get_or_create(name="gpu-1")[0]
    times = {"started_at": started_at, "ended_at": ended_at}
    JobAttempt.objects.create(job=job, number=number, worker=worker, outcome="lost", **times)


def minutes_of(user: User) -> int:
    return next(use.used for use in uses_of(user) if use.kind == "gpu_minutes")


def test_runs_in_the_queue_are_limited_and_running_ones_are_not_counted(
    ana: User, carla: User, dataset: Dataset, worker: Worker, settings: Settings
) -> None:
    settings.QUEUED_RUNS_PER_USER = 1
    first = make_run(ana, dataset)
    with pytest.raises(QuotaExceeded, match="1 runs in the queue and has 1; this would add 1") as refusal:
        reproduce_run(first, owner=ana)
    assert refusal.value.extra == {"quota": "queued_runs", "team": None, "limit": 1, "used": 1, "wanted": 1}
    make_run(carla)
    claim(worker)
    assert Run.objects.get(pk=first.pk).status == JobStatus.RUNNING
    make_run(ana, dataset)


def test_repeats_are_made_as_a_whole_or_not_at_all(
    ana: User, dataset: Dataset, completed_run: Run, settings: Settings
) -> None:
    settings.QUEUED_RUNS_PER_USER = 2
    with pytest.raises(QuotaExceeded) as refusal:
        repeat_run(completed_run, kind=RepeatKind.SEED, count=3)
    assert (refusal.value.extra["wanted"], refusal.value.extra["used"]) == (3, 0)
    assert not completed_run.repeats.exists()
    settings.QUEUED_RUNS_PER_USER = 3
    assert len(repeat_run(completed_run, kind=RepeatKind.SEED, count=3)) == 3
    assert repeat_run(completed_run, kind=RepeatKind.SEED, count=3) == []  # what is there needs no room


@pytest.mark.usefixtures("march")
def test_minutes_are_those_of_this_month_in_the_portals_time_zone(
    ana: User, carla: User, dataset: Dataset, settings: Settings
) -> None:
    run = make_run(ana, dataset)
    attempt(run, MARCH - timedelta(hours=3), MARCH - timedelta(hours=1))  # February
    attempt(run, MARCH - timedelta(minutes=30), MARCH + timedelta(minutes=10), number=2)
    attempt(run, MARCH + timedelta(days=1), MARCH + timedelta(days=1, minutes=5), number=3)
    attempt(make_run(ana, dataset, simulate=True), MARCH, MARCH + timedelta(days=1))
    attempt(make_run(carla), MARCH, MARCH + timedelta(days=1))
    assert minutes_of(ana) == 15
    settings.GPU_MINUTES_PER_USER = 15
    with pytest.raises(QuotaExceeded, match=r"15 GPU minutes a month and has used 15.*04/01/2026") as refusal:
        make_run(ana, dataset)
    assert refusal.value.extra["resets_at"] == "2026-04-01T03:00:00Z"
    assert refusal.value.extra["retry_after"] == (datetime(2026, 4, 1, 3, tzinfo=UTC) - NOW).total_seconds()
    make_run(ana, dataset, simulate=True)
    settings.GPU_MINUTES_PER_USER = 16
    make_run(ana, dataset)


def test_what_runs_now_counts_up_to_now_and_is_never_ended(
    ana: User, running_job: Job, worker: Worker, settings: Settings
) -> None:
    began = timezone.now() - timedelta(minutes=7)
    if began < month_of(timezone.now())[0]:
        pytest.skip("the month has just begun")
    JobAttempt.objects.filter(job=running_job).update(started_at=began)
    settings.GPU_MINUTES_PER_USER = 5
    assert minutes_of(ana) == 7
    with pytest.raises(QuotaExceeded):
        make_run(ana)
    assert Job.objects.get(pk=running_job.pk).status == JobStatus.RUNNING


def test_a_queued_run_is_claimed_whatever_its_owner_has_used(
    ana: User, run: Run, worker: Worker, settings: Settings
) -> None:
    Quota.objects.create(user=ana, gpu_minutes=0, queued_runs=0)
    assert claim(worker).run_id == run.pk


@pytest.mark.usefixtures("march")
def test_deleting_a_run_gives_no_minutes_back(ana: User, completed_run: Run) -> None:
    JobAttempt.objects.filter(job__run=completed_run).update(started_at=MARCH, ended_at=MARCH + timedelta(minutes=9))
    assert minutes_of(ana) == 9
    delete_run(completed_run)
    assert DeletedGpuTime.objects.get().owner == ana
    assert minutes_of(ana) == 9


def test_an_exception_stands_above_the_settings(ana: User, dataset: Dataset, settings: Settings) -> None:
    settings.QUEUED_RUNS_PER_USER = 1
    exception = Quota.objects.create(user=ana, queued_runs=2)
    make_run(ana, dataset)
    make_run(ana, dataset)
    with pytest.raises(QuotaExceeded, match="2 runs in the queue and has 2"):
        make_run(ana, dataset)
    Quota.objects.filter(pk=exception.pk).update(queued_runs=0)
    with pytest.raises(QuotaExceeded, match="0 runs in the queue and has 2"):
        make_run(ana, dataset)


def test_the_use_of_a_team_is_that_of_its_members_together(
    ana: User, bruno: User, carla: User, dataset: Dataset, team: Team
) -> None:
    Quota.objects.create(team=team, queued_runs=2)
    make_run(ana, dataset)
    make_run(bruno)
    for member in (ana, bruno):
        with pytest.raises(QuotaExceeded, match="The team procuradoria may have 2 runs in the queue") as refusal:
            make_run(member, dataset)
        assert (refusal.value.extra["team"], refusal.value.extra["used"]) == ("procuradoria", 2)
    make_run(carla)


def test_a_team_without_a_limit_shows_none(ana: User, team: Team) -> None:
    assert {use.team for use in uses_of(ana)} == {None}
    Quota.objects.create(team=team, datasets=5)
    limits = [(use.team, use.kind.value, use.limit) for use in uses_of(ana)]
    assert ("procuradoria", "datasets", 5) in limits
    assert ("procuradoria", "gpu_minutes", None) in limits


def test_the_queries_do_not_grow_with_members_and_rows(
    ana: User, bruno: User, team: Team, django_assert_max_num_queries: Any
) -> None:
    Quota.objects.create(team=team, gpu_minutes=100)
    other = Team.objects.create(name="outra")
    Quota.objects.create(team=other, datasets=1)
    other.members.set([ana, bruno])
    for member in (ana, bruno, ana, bruno):
        make_run(member)
    with django_assert_max_num_queries(8):
        uses_of(ana)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_requests_of_a_team_do_not_pass_the_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    team = Team.objects.create(name="procuradoria")
    Quota.objects.create(team=team, queued_runs=1)
    prepared = []
    for name in ("ana", "bruno"):
        owner = make_user(name, teams=[team])
        wanted: dict[str, Any] = {"dataset": ready_dataset(owner), "hyperparameters": {"epochs": 1}}
        prepared.append(prepare_run(runs.RunRequest(owner=owner, base_model=BASE_MODEL, **wanted)))
    together = Barrier(2, timeout=20)
    outcomes: list[str] = []

    def start(run: runs.PreparedRun) -> None:
        together.wait()
        try:
            store_run(run)
            outcomes.append("created")
        except QuotaExceeded:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=start, args=(run,)) for run in prepared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["created", "refused"]
    assert Run.objects.count() == 1
