"""The plain claim, on PostgreSQL only: one statement hands the next job to a worker that holds nothing.

It locks and writes what services/claims.py does in steps, at a sixth of the cost; a test compares the rows.
"""

import json
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.backends.utils import CursorWrapper

from bert_training.contract.messages import ClaimedJob, ClaimRequest
from bert_training.models.job import Job, JobAttempt
from bert_training.models.worker import Worker
from bert_training.tasks import TASKS

ONE_JOB_A_WORKER = "uq_bert_jobs_one_a_worker"
# Columns of an attempt that the statement fills itself; the others begin with the model's defaults.
OF_THE_CLAIM = frozenset({"id", "job_id", "number", "worker_id", "instance", "started_at"})

_names: WeakKeyDictionary[Any, dict["Queue", str]] = WeakKeyDictionary()  # by connection of the driver


class NotPlain(Exception):
    """The worker holds a job, one waits for it, it restarted, drains, has hours, is off, can do no task; or SQLite."""


# `me` is empty when the claim is not plain, and locks the worker before a job is locked. Everything sees the rows as
# they were when the statement began: should the same worker claim twice at once, the unique index refuses the second.
STATEMENT = """
PREPARE {name} (bigint, text, jsonb, jsonb, double precision, double precision, jsonb) AS
WITH me AS (
    SELECT id FROM bert_workers
    WHERE id = $1 AND team_id IS NOT DISTINCT FROM %(team)s AND instance IN ('', $2)
        AND active AND NOT draining AND hours = '[]'::jsonb
        AND NOT EXISTS (SELECT 1 FROM bert_jobs WHERE worker_id = $1 AND status = 'running')
        AND NOT EXISTS (SELECT 1 FROM bert_jobs WHERE hold_worker_id = $1 AND status = 'queued')
        AND NOT EXISTS (SELECT 1 FROM bert_jobs WHERE bound_to_id = $1 AND status = 'queued')
    FOR NO KEY UPDATE
), next AS (
    SELECT id FROM ({queue} LIMIT 1 FOR NO KEY UPDATE OF bert_jobs SKIP LOCKED) AS queue
    WHERE EXISTS (SELECT 1 FROM me)
), job AS (
    UPDATE bert_jobs SET
        status = 'running', worker_id = $1, attempt = attempt + 1, hold_worker_id = NULL, hold_until = NULL,
        lease_until = statement_timestamp() + make_interval(secs => $5),
        started_at = COALESCE(started_at, statement_timestamp()),
        checkpoint_step = CASE WHEN checkpoint_step > 0 AND $1 = (
            SELECT worker_id FROM bert_job_attempts AS last
            WHERE last.job_id = bert_jobs.id AND last.number = bert_jobs.attempt
        ) THEN checkpoint_step ELSE 0 END,
        phase = 'preparing', epoch = 0, step = 0, finish_requested_at = NULL
    FROM next WHERE bert_jobs.id = next.id AND status = 'queued'
    RETURNING bert_jobs.id, run_id, attempt, checkpoint_step
), run AS (
    UPDATE bert_runs SET status = 'running', started_at = COALESCE(started_at, statement_timestamp())
    FROM job WHERE bert_runs.id = job.run_id
    RETURNING bert_runs.*
), opened AS (
    INSERT INTO bert_job_attempts (job_id, number, worker_id, instance, started_at, {defaults})
    SELECT id, attempt, $1, $2, statement_timestamp(), {default_values} FROM job
), seen AS (
    UPDATE bert_workers SET
        instance = $2, versions = $3, tasks = $4, features = $7, simulates = %(simulates)s,
        last_seen_at = statement_timestamp(),
        state = CASE WHEN EXISTS (SELECT 1 FROM job) THEN 'busy' ELSE 'idle' END
    FROM me WHERE bert_workers.id = me.id
)
SELECT CASE WHEN job.id IS NOT NULL THEN jsonb_build_object(
    'job_id', job.id, 'run_id', run.id, 'attempt', job.attempt, 'held', false, 'task', run.task,
    'hyperparameters', run.hyperparameters, 'base_model', run.base_model,
    'base_model_revision', run.base_model_revision, 'simulate', run.simulate,
    'dataset', jsonb_build_object(
        'id', data.id, 'sha256', data.sha256, 'bytes', data.bytes, 'table_sha256', data.table_sha256,
        'table_bytes', data.table_bytes, 'rows', data.rows
    ),
    'split_digest', run.split_digest, 'wants_predictions', NOT run.simulate,
    'wants_hardware', true,
    'resume_checkpoint_step', job.checkpoint_step,
    'lease_seconds', $5, 'heartbeat_seconds', $6
)::text END
FROM me
LEFT JOIN job ON true LEFT JOIN run ON run.id = job.run_id LEFT JOIN bert_datasets AS data ON data.id = run.dataset_id
"""


def claim_plainly(worker: Worker, request: ClaimRequest) -> ClaimedJob | None:
    """Hand out the next job that the worker may take, or None; raises NotPlain.

    Atomic by itself: outside of a transaction it saves the two round trips that begin and end one.
    """
    tasks = tuple(sorted(TASKS.keys() & request.tasks))
    if connection.vendor != "postgresql" or not tasks:
        raise NotPlain
    values: dict[str, Any] = {
        "worker": worker.pk,
        "instance": request.instance,
        "versions": json.dumps(request.versions),
        "tasks": json.dumps(request.tasks),
        "lease_seconds": settings.LEASE_SECONDS,
        "heartbeat_seconds": settings.HEARTBEAT_SECONDS,
        "features": json.dumps(request.features),
    }
    queue = Queue(worker.team_id, tasks, request.simulate)
    with connection.cursor() as cursor:
        name = prepared(cursor, queue)
        try:
            cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(values))})", list(values.values()))
        except IntegrityError as error:
            if ONE_JOB_A_WORKER in str(error):
                raise NotPlain from error
            raise
        row = cursor.fetchone()
    if row is None:
        raise NotPlain
    return ClaimedJob.model_validate_json(row[0]) if row[0] else None


@dataclass(frozen=True)
class Queue:
    """The jobs among which a claim chooses: each such choice is a statement of its own."""

    team_id: int | None
    tasks: tuple[str, ...]
    simulate: bool


def prepared(cursor: CursorWrapper, queue: Queue) -> str:
    """Return the name of the statement on this connection; planning it takes longer than executing it."""
    names = _names.setdefault(connection.connection, {})
    if queue not in names:
        name = f"plain_claim_{len(names)}"
        cursor.execute(*_preparation(name, queue))
        names[queue] = name
    return names[queue]


def _preparation(name: str, queue: Queue) -> tuple[str, dict[str, Any]]:
    """Put the query of the queue and the defaults of an attempt into the statement."""
    jobs = Job.objects.claimable(tasks=queue.tasks, simulate=queue.simulate, team_id=queue.team_id).unheld().unbound()
    sql, values = jobs.values("id").query.sql_with_params()
    parameters: dict[str, Any] = {f"queue_{number}": value for number, value in enumerate(values)}
    fields = [field for field in JobAttempt._meta.concrete_fields if field.column not in OF_THE_CLAIM]
    defaults = {str(field.column): field.get_db_prep_save(field.get_default(), connection) for field in fields}
    statement = STATEMENT.format(
        name=name,
        queue=sql % tuple(f"%({parameter})s" for parameter in parameters),
        defaults=", ".join(defaults),
        default_values=", ".join(f"%({column})s" for column in defaults),
    )
    return statement, parameters | defaults | {"team": queue.team_id, "simulates": queue.simulate}
