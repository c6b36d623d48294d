"""Part of the portal's benchmark: how fast jobs are handed out, against the plain way with Django's ORM.

A claim is made by a worker that holds nothing (R1: one job a worker), so there is a worker for each queued job.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import timedelta
from functools import partial
from statistics import quantiles
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bert_training.contract.enums import JobStatus, Phase
from bert_training.contract.messages import ClaimRequest
from bert_training.models import Dataset, Job, JobAttempt, Run, Worker
from bert_training.services.claims import claim_job, enqueue
from tests.bench.crowd import CALLERS, PROCESSES, Call, call_all, open_crowd, per_second
from tests.bench.frame import IS_QUICK, Figure, by_turns, rounds_for, seconds_of
from tests.bench.job_rows import store_jobs
from tests.personas import BASE_MODEL, make_user, ready_dataset
from tests.services import IS_EMBEDDED

QUEUED = 2_000 if IS_QUICK else 10_000
ENDED = 10 * QUEUED
BUSY = 200  # other workers that train meanwhile
ENQUEUED = 100
REFERENCE = "ORM: select_for_update, save"
NOTES = f"""*Claims*: {CALLERS} claimers in {PROCESSES} processes, each with a connection of its own, empty a queue of
{QUEUED:,} jobs through the service function, beside {ENDED:,} jobs that have ended and {BUSY} that run. The reference
takes the first job by `select_for_update(skip_locked=True)`, saves it, creates the attempt and saves the run in
`atomic()`: the same rows, but the worker's, which only ours writes."""
IDLE, QUEUED_RUN = "idle", "queued"  # names of workers and runs
INSTANCE = "machine:1"
REQUEST = ClaimRequest(instance=INSTANCE, tasks=["text-classification", "token-classification"])


def measure() -> list[Figure]:
    """Empty the queue again and again, by turns with ours and with the reference."""
    dataset = ready_dataset(make_user("ana"))
    empty = enqueue_milliseconds(dataset)
    fill_portal(dataset)
    tidy_up()
    full = enqueue_milliseconds(dataset)
    with open_crowd() as crowd:
        ours, theirs = by_turns(
            lambda: empty_queue(crowd, naively=False),
            lambda: empty_queue(crowd, naively=True),
            rounds=rounds_for(2, 5),
        )
    return [
        *rate_figures(ours, theirs),
        Figure("jobs claimed twice or never", "jobs", [float(wrong_claims(calls)) for calls in ours], goal=0.0),
        Figure("a run put into the queue", "ms", full, empty, "an empty portal"),
    ]


def rate_figures(ours: Sequence[Sequence[Call]], theirs: Sequence[Sequence[Call]]) -> list[Figure]:
    """Compare rates and times of a claim; the goals are PostgreSQL's, on SQLite ours is written with the ORM too."""
    goals: tuple[float | None, float | None] = (None, None) if IS_EMBEDDED else (5.0, 15.0)
    middle, slow = (partial(at_percent, percent) for percent in (50, 95))
    mine, others = [per_second(calls) for calls in ours], [per_second(calls) for calls in theirs]
    return [
        Figure("claims", "1/s", mine, others, REFERENCE, goal=goals[0], goal_is="times"),
        Figure("a claim, 50 of 100", "ms", middle(ours), middle(theirs), REFERENCE),
        Figure("a claim, 95 of 100", "ms", slow(ours), slow(theirs), REFERENCE, goal=goals[1]),
    ]


def at_percent(percent: int, rounds: Sequence[Sequence[Call]]) -> list[float]:
    """Return for each round the milliseconds below which so many of 100 claims stayed."""
    return [quantiles([call.milliseconds for call in calls], n=100)[percent - 1] for calls in rounds]


def wrong_claims(calls: Sequence[Call]) -> int:
    """Count jobs that were not claimed exactly once, by what the claimers were told and by what is stored."""
    times_told = Counter(call.result for call in calls)
    stored = Counter(JobAttempt.objects.filter(worker__name__startswith=IDLE).values_list("job_id", flat=True))
    jobs = Job.objects.filter(run__name=QUEUED_RUN).values_list("pk", flat=True)
    return sum((times_told[job], stored[job]) != (1, 1) for job in jobs)


# --- both sides -----------------------------------------------------------------------------------------------------


def claim(worker: int) -> int:
    """Claim through the service function."""
    claimed = claim_job(Worker(pk=worker), REQUEST)
    assert claimed is not None
    return claimed.job_id


@transaction.atomic
def claim_naively(worker: int) -> int:
    """Claim as one writes it first."""
    now = timezone.now()
    queue = Job.objects.filter(status=JobStatus.QUEUED).order_by("-priority", "turn", "id")
    job = queue.select_for_update(skip_locked=True).first()
    assert job is not None
    job.status = JobStatus.RUNNING.value
    job.worker_id = worker
    job.attempt += 1
    job.phase = Phase.PREPARING.value
    job.started_at = now
    job.lease_until = now + timedelta(seconds=settings.LEASE_SECONDS)
    job.save()
    JobAttempt.objects.create(job=job, number=job.attempt, worker_id=worker, instance=INSTANCE, started_at=now)
    job.run.status = JobStatus.RUNNING.value
    job.run.started_at = now
    job.run.save()
    return job.pk


# --- rows -----------------------------------------------------------------------------------------------------------


def enqueue_milliseconds(dataset: Dataset) -> list[float]:
    """Put runs into the queue as it is, then take them out; returns how long the job of each took."""
    fields = {"owner": dataset.owner, "dataset": dataset, "task": dataset.task, "hyperparameters": {"epochs": 2}}
    runs = [Run.objects.create(name="one more", base_model=BASE_MODEL, **fields) for _ in range(ENQUEUED)]
    times = [1000 * seconds_of(partial(enqueue, run)) for run in runs]
    Run.objects.filter(name="one more").delete()
    return times


def fill_portal(dataset: Dataset) -> None:
    """Store a queue, what has ended, what runs, and a worker for each queued job."""
    now = timezone.now()
    busy = Worker.objects.bulk_create(Worker(name=f"busy {number}") for number in range(BUSY))
    Worker.objects.bulk_create(Worker(name=f"{IDLE} {number}") for number in range(QUEUED))
    begun: dict[str, Any] = {"attempt": 1, "started_at": now}
    ended = begun | {"status": JobStatus.COMPLETED, "worker": busy[0], "finished_at": now}
    store_jobs(dataset, "ended", [ended] * ENDED)
    running = begun | {"status": JobStatus.RUNNING, "lease_until": now}
    store_jobs(dataset, "running", [running | {"worker": worker} for worker in busy])
    store_jobs(dataset, QUEUED_RUN, [{"turn": number} for number in range(QUEUED)])


def tidy_up() -> None:
    """Do what the database of a portal in use does by itself, between times."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if IS_EMBEDDED else "VACUUM ANALYZE")


def empty_queue(crowd: Executor, *, naively: bool) -> list[Call]:
    """Put the jobs back into the queue, then have every worker claim one."""
    JobAttempt.objects.filter(worker__name__startswith=IDLE).delete()
    jobs, runs = Job.objects.filter(run__name=QUEUED_RUN), Run.objects.filter(name=QUEUED_RUN)
    jobs.update(status=JobStatus.QUEUED, worker=None, attempt=0, started_at=None, lease_until=None, phase="")
    runs.update(status=JobStatus.QUEUED, started_at=None)
    tidy_up()
    workers = Worker.objects.filter(name__startswith=IDLE).values_list("pk", flat=True)
    return call_all(crowd, claim_naively if naively else claim, list(workers))
