"""The claim in one statement writes what the claim in steps writes, and leaves everything unusual to it."""

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.db.models.functions import Now

from bert_training.contract.enums import Outcome, Reason
from bert_training.contract.messages import ClaimedJob, ClaimRequest
from bert_training.models import Job, JobAttempt, Run, Worker
from bert_training.models.plain_claim import NotPlain, Queue, claim_plainly, prepared
from bert_training.services.claims import claim_in_steps
from bert_training.services.jobs import complete_job, finish_job, report_progress, requeue
from bert_training.tasks import TASKS
from tests.personas import claim, claim_request, make_run, make_worker
from tests.service_layer.test_jobs import completion, progress
from tests.services import IS_EMBEDDED

pytestmark = pytest.mark.skipif(IS_EMBEDDED, reason="SQLite claims in steps only")
Way = Callable[[Worker, ClaimRequest], ClaimedJob | None]
PLAIN = claim_request(versions={"torch": "2.13"})


class Undone(Exception):
    """Raised to take back what was written."""


def written_by(way: Way, worker: Worker, request: ClaimRequest = PLAIN) -> tuple[ClaimedJob | None, list[Any]]:
    """Claim, read every row of the four tables, and undo it; of a time only whether there is one."""
    with contextlib.suppress(Undone), transaction.atomic():
        answer = way(worker, request)
        tables = (Job, Run, JobAttempt, Worker)
        rows = [timeless(dict(row)) for table in tables for row in table._default_manager.order_by("pk").values()]
        raise Undone
    return answer, rows


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    own_number = {"id"} if "number" in row else set()  # of an attempt: the sequence goes on although all is undone
    return {key: isinstance(value, datetime) or value for key, value in row.items() if key not in own_number}


def released_with_checkpoint(job: Job, worker: Worker) -> None:
    report_progress(worker, job.pk, progress(checkpoint_step=4, resumed_from_step=0))
    complete_job(worker, job.pk, completion(Outcome.RELEASED))


def lost_after_finish_was_asked(job: Job, worker: Worker) -> None:
    report_progress(worker, job.pk, progress(step=7))
    finish_job(job.pk)
    requeue(Job.objects.get(pk=job.pk), outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)


def let_hold_lapse(job: Job, worker: Worker) -> None:
    report_progress(worker, job.pk, progress(checkpoint_step=4))
    requeue(Job.objects.get(pk=job.pk), outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    Job.objects.update(hold_until=Now() - timedelta(seconds=1))


def test_a_first_claim_writes_the_same_rows_in_one_statement_and_in_steps(run: Run, worker: Worker, ana: User) -> None:
    make_run(ana)
    assert written_by(claim_plainly, worker) == written_by(claim_in_steps, worker)
    answer, _rows = written_by(claim_plainly, worker)
    assert answer is not None
    assert answer.run_id == run.pk


@pytest.mark.parametrize("history", [released_with_checkpoint, lost_after_finish_was_asked, let_hold_lapse])
def test_a_later_claim_writes_the_same_rows_in_one_statement_and_in_steps(
    running_job: Job, worker: Worker, other_worker: Worker, history: Callable[[Job, Worker], None]
) -> None:
    history(running_job, worker)
    if history is not let_hold_lapse:  # then the job still waits for its first worker: not plain
        assert written_by(claim_plainly, worker) == written_by(claim_in_steps, worker)
    assert written_by(claim_plainly, other_worker) == written_by(claim_in_steps, other_worker)


def test_an_empty_queue_notes_the_worker_in_one_statement_and_in_steps(worker: Worker) -> None:
    assert written_by(claim_plainly, worker) == written_by(claim_in_steps, worker)


def test_only_the_teams_jobs_are_handed_out_in_one_statement(ana: User, carla: User, team: Group) -> None:
    make_run(carla)
    own = make_run(ana)
    answer = claim_plainly(make_worker("team-gpu", team=team), PLAIN)
    assert answer is not None
    assert answer.run_id == own.pk


@pytest.mark.parametrize(
    "unusual",
    [
        {"instance": "machine-1:0"},
        {"draining": True},
        {"active": False},
        {"instance": "machine-2:1"},
        {"hours": [{"days": [0], "begin": "19:00", "end": "07:00"}]},
    ],
    ids=["restarted", "draining", "inactive", "other machine", "with hours"],
)
def test_an_unusual_worker_is_left_to_the_steps(run: Run, worker: Worker, unusual: dict[str, Any]) -> None:
    Worker.objects.update(**unusual)
    with pytest.raises(NotPlain):
        claim_plainly(worker, PLAIN)
    assert Job.objects.get().status == "queued"


def test_a_worker_that_holds_a_job_is_left_to_the_steps(running_job: Job, worker: Worker, ana: User) -> None:
    make_run(ana)
    with pytest.raises(NotPlain):
        claim_plainly(worker, PLAIN)


def test_a_job_that_waits_for_its_worker_goes_before_all_others(running_job: Job, worker: Worker, ana: User) -> None:
    make_run(ana, priority=9)
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    requeue(Job.objects.get(pk=running_job.pk), outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    with pytest.raises(NotPlain):
        claim_plainly(worker, PLAIN)
    assert claim(worker).job_id == running_job.pk


def test_a_worker_whose_team_has_just_changed_is_left_to_the_steps(run: Run, worker: Worker, team: Group) -> None:
    Worker.objects.update(team=team)
    with pytest.raises(NotPlain):
        claim_plainly(worker, PLAIN)


def test_a_long_queue_is_not_sorted_to_find_its_first_job(run: Run, worker: Worker) -> None:
    runs = Run.objects.bulk_create([_copy(run) for _ in range(2000)])
    Job.objects.bulk_create(Job(run=copy, task=copy.task, turn=turn) for turn, copy in enumerate(runs, start=1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE bert_jobs")
        name = prepared(cursor, Queue(None, tuple(TASKS), simulate=False))
        cursor.execute(f"EXPLAIN EXECUTE {name} (%s, 'machine-1:1', '{{}}', '[]', 60, 15, '[]')", [worker.pk])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using ix_bert_jobs_queue" in plan
    assert "Sort" not in plan


def _copy(run: Run) -> Run:
    fields = {field.attname: getattr(run, field.attname) for field in run._meta.concrete_fields}
    return Run(**fields | {"id": None})
