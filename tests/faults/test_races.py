"""Races over the queue, with a database connection for each caller, and what the database itself refuses."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice, repeat
from threading import Barrier
from typing import Any, TypeVar

import psycopg2
import pytest
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now
from django.test import Client

from bert_training.contract.limits import API_PREFIX
from bert_training.models import Dataset, Job, JobAttempt, PortalTick, Run, Worker
from bert_training.models.plain_claim import NotPlain
from bert_training.services import claims
from bert_training.services.claims import claim_job
from bert_training.services.divisions import Division
from bert_training.services.jobs import cancel_job, report_progress
from bert_training.services.leases import expire_leases
from bert_training.services.runs import PreparedRun, delete_run, store_run
from tests.faults.stalling import HOUR, Caller, ticking_portal
from tests.personas import BASE_MODEL, claim, claim_request, make_worker, token_of
from tests.service_layer.test_jobs import progress
from tests.services import IS_EMBEDDED

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif(IS_EMBEDDED, reason="SQLite has one writer: nobody races"),
]
Argument = TypeVar("Argument")
Answer = TypeVar("Answer")
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"  # SQLSTATE


class Callers:
    """Threads that call at the same moment, each with a database connection of its own."""

    def __init__(self, number: int) -> None:
        self._threads = ThreadPoolExecutor(number)
        self._start = Barrier(number)
        self.number = number

    def at_once(self, call: Callable[[Argument], Answer], arguments: Iterable[Argument]) -> list[Answer]:
        """Call with an argument for each caller; the first error is raised."""
        return list(self._threads.map(partial(self._call, call), islice(arguments, self.number)))

    def _call(self, call: Callable[[Argument], Answer], argument: Argument) -> Answer:
        self._start.wait(timeout=30)
        return call(argument)


@pytest.fixture
def callers(request: pytest.FixtureRequest) -> Iterator[Callers]:
    """As many as the test asks for."""
    callers = Callers(request.param)
    yield callers
    callers.at_once(lambda _: connection.close(), repeat(None))


@pytest.fixture(params=["one statement", "steps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims as PostgreSQL makes them when they are plain, and all of them in steps."""

    def refuse(*_arguments: Any) -> None:
        raise NotPlain

    if request.param == "steps":
        monkeypatch.setattr(claims, "claim_plainly", refuse)


def queue_up(dataset: Dataset, *, count: int) -> list[int]:
    """Put runs into the queue; returns the numbers of their jobs."""
    shared = {"owner": dataset.owner, "dataset": dataset, "task": dataset.task, "base_model": BASE_MODEL}
    runs = Run.objects.bulk_create(Run(name="r", hyperparameters={"epochs": 1}, **shared) for _ in range(count))
    jobs = Job.objects.bulk_create(Job(run=run, task=run.task, turn=turn) for turn, run in enumerate(runs))
    return [job.pk for job in jobs]


def race_for_one_job(callers: Callers, dataset: Dataset, *, rounds: int) -> None:
    """Let all claim at once, again and again: one gets the job, the others nothing, and there is one attempt."""
    for turn in range(rounds):
        racers = [make_worker(f"pc {turn}.{number}") for number in range(callers.number)]
        [job] = queue_up(dataset, count=1)
        answers = callers.at_once(lambda racer: claim_job(racer, claim_request()), racers)
        assert [answer.job_id for answer in answers if answer] == [job]
        assert list(JobAttempt.objects.filter(job=job).values_list("number", flat=True)) == [1]


@pytest.mark.parametrize("callers", [16], indirect=True)
def test_of_sixteen_that_claim_one_job_at_once_one_gets_it(callers: Callers, dataset: Dataset, way: None) -> None:
    """F-08."""
    race_for_one_job(callers, dataset, rounds=10)


@pytest.mark.long
@pytest.mark.parametrize("callers", [16], indirect=True)
def test_two_hundred_times_one_of_sixteen_gets_the_job(callers: Callers, dataset: Dataset, way: None) -> None:
    """F-08: the whole of it."""
    race_for_one_job(callers, dataset, rounds=100)


@pytest.mark.parametrize("callers", [8], indirect=True)
def test_a_claim_that_arrives_eight_times_at_once_gives_one_job(callers: Callers, dataset: Dataset) -> None:
    """F-08, F-14: R1 holds against the unique index, which only one of the statements passes."""
    jobs = queue_up(dataset, count=8)
    for turn in range(4):
        worker = make_worker(f"pc {turn}")
        answers = callers.at_once(claim, repeat(worker))
        assert {(answer.job_id, answer.attempt) for answer in answers} == {(jobs[turn], 1)}
        assert sorted(answer.held for answer in answers) == [False] + [True] * 7


@pytest.mark.parametrize("callers", [8], indirect=True)
def test_eight_stalling_workers_complete_300_jobs_once_each(callers: Callers, dataset: Dataset, settings: Any) -> None:
    """F-09, F-06, F-07: 20 % of the claims stall past the lease; 300 done once, 0 twice, 0 never."""
    settings.LEASE_SECONDS = HOUR.total_seconds()  # leases run out where the test says so
    queue_up(dataset, count=300)
    workers = [Caller(seed) for seed in range(callers.number)]
    with ticking_portal():
        callers.at_once(Caller.work, workers)
    done = JobAttempt.objects.filter(outcome="completed").values("job").annotate(times=Count("pk"))
    assert [entry["times"] for entry in done] == [1] * 300
    assert sum(worker.accepted for worker in workers) == 300
    assert sum(worker.stalls for worker in workers) > 30


@pytest.mark.parametrize("callers", [8], indirect=True)
def test_eight_web_processes_that_tick_at_once_take_a_job_back_once(callers: Callers, dataset: Dataset) -> None:
    """F-28: the same result as one."""
    PortalTick.objects.create(pk=1, heard_since=Now() - HOUR, heard_at=Now())
    queue_up(dataset, count=5)
    for number in range(5):
        claim(make_worker(f"pc {number}"))
    Job.objects.update(lease_until=Now() - HOUR)
    assert sum(callers.at_once(lambda _: expire_leases(), repeat(None))) == 5
    assert list(JobAttempt.objects.values_list("number", "outcome", "reason")) == [(1, "lost", "lease_expired")] * 5
    assert set(Job.objects.values_list("status", "run__status")) == {("queued", "queued")}


@pytest.mark.parametrize("callers", [8], indirect=True)
def test_eight_first_ticks_make_one_row(callers: Callers) -> None:
    """F-28: a fresh portal, all processes start together."""
    callers.at_once(lambda _: expire_leases(), repeat(None))
    assert PortalTick.objects.count() == 1


# --- locks and refusals of the database -----------------------------------------------------------------------------


@contextmanager
def another_session() -> Iterator[Any]:
    """A transaction of somebody else's, as with psql; undone at the end."""
    other = psycopg2.connect(**connection.get_connection_params())
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def test_a_claim_passes_by_a_job_that_somebody_keeps_locked(dataset: Dataset, worker: Worker, way: None) -> None:
    """F-21: SKIP LOCKED; it would wait for the lock otherwise, and fail at lock_timeout."""
    first, second = queue_up(dataset, count=2)
    with another_session() as session:
        session.execute("SELECT 1 FROM bert_jobs WHERE id = %s FOR UPDATE", [first])
        assert claim(worker).job_id == second


def test_a_call_that_the_database_ends_to_break_a_deadlock_is_made_again(running_job: Job, worker: Worker) -> None:
    """F-22: the other session holds the job and wants the worker, the report holds the worker and wants the job."""
    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '50ms'; SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    with another_session() as session, ThreadPoolExecutor(1) as thread:
        session.execute("SET LOCAL deadlock_timeout = '1min'")  # so that the report is the one that is ended
        session.execute("SELECT 1 FROM bert_jobs WHERE id = %s FOR UPDATE", [running_job.pk])
        rival = thread.submit(_take_worker_once_waited_for, session, pid, worker)
        report_progress(worker, running_job.pk, progress(step=7))
        rival.result()
    running_job.refresh_from_db()
    assert running_job.step == 7


def _take_worker_once_waited_for(session: Any, pid: int, worker: Worker) -> None:
    while True:
        session.execute("SELECT cardinality(pg_blocking_pids(%s))", [pid])
        if session.fetchone()[0]:
            break
    session.execute("SELECT 1 FROM bert_workers WHERE id = %s FOR UPDATE", [worker.pk])
    session.connection.rollback()


@pytest.fixture
def refuse_updates() -> Iterator[Callable[[str, int], None]]:
    """A function that has the database undo the next updates of jobs with an SQLSTATE, so many times."""

    def begin(sqlstate: str, times: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE SEQUENCE refused;"
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF nextval('refused') <= {times} THEN RAISE 'forced' USING ERRCODE = '{sqlstate}'; END IF;"
                " RETURN NEW; END $$;"
                "CREATE TRIGGER refuse BEFORE UPDATE ON bert_jobs FOR EACH ROW EXECUTE FUNCTION refuse()"
            )

    yield begin
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse ON bert_jobs; DROP FUNCTION refuse; DROP SEQUENCE refused")


CLAIM = claim_request().model_dump(mode="json")
PROGRESS = progress().model_dump(mode="json")
ONCE_AND_TWICE = pytest.mark.parametrize(("refusals", "status"), [(1, 200), (2, 503)], ids=["once", "twice"])


def call_of(worker: Worker, path: str, body: dict[str, Any]) -> Any:
    """Make a worker's call over the API."""
    client = Client(headers={"Authorization": f"Bearer {token_of(worker)}", "X-Worker-Protocol": "1"})
    return client.post(f"{API_PREFIX}/{path}", body, content_type="application/json")


@ONCE_AND_TWICE
def test_a_claim_that_the_database_undoes_is_made_again_once(
    run: Run, worker: Worker, refuse_updates: Callable[[str, int], None], refusals: int, status: int
) -> None:
    """F-22: undone twice it is 503, and the next claim is none the worse."""
    refuse_updates(SERIALIZATION_FAILURE, refusals)
    answer = call_of(worker, "jobs/claim", CLAIM)
    assert answer.status_code == status
    if status == 503:
        assert (answer.json()["code"], answer["Retry-After"]) == ("unavailable", "5")
        assert not JobAttempt.objects.exists()
        assert call_of(worker, "jobs/claim", CLAIM).json()["attempt"] == 1


@ONCE_AND_TWICE
def test_a_report_that_the_database_undoes_is_made_again_once(
    running_job: Job, worker: Worker, refuse_updates: Callable[[str, int], None], refusals: int, status: int
) -> None:
    """F-22."""
    refuse_updates(DEADLOCK, refusals)
    assert call_of(worker, f"jobs/{running_job.pk}/progress", PROGRESS).status_code == status


@pytest.mark.parametrize("callers", [2], indirect=True)
def test_a_run_is_deleted_while_another_is_made_of_it(callers: Callers, dataset: Dataset) -> None:
    """Either comes first; neither is refused by a foreign key at the commit."""
    for _turn in range(30):
        [job] = queue_up(dataset, count=1)
        cancel_job(job)
        origin = Job.objects.get(pk=job).run
        fields = {name: getattr(origin, name) for name in ("name", "owner", "dataset", "task", "base_model")}
        copied = Run(**fields, hyperparameters={}, reproduced_from=origin)
        copy = PreparedRun(copied, Division("", "", {}), priority=0)
        acts: list[Callable[[], object]] = [partial(store_run, copy), partial(delete_run, origin)]
        callers.at_once(lambda act: act(), acts)
        assert Run.objects.get(pk=copied.pk).reproduced_from is None
