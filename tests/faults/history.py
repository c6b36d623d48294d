"""What happened, as plain values: rows of the database, each change of a job, calls, spools, and what pages showed.

PostgreSQL itself records the changes, in the transaction that makes them: none is missed and none is undone in secret.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor

from bert_training.contract.limits import API_PREFIX
from bert_training.contract.text import clean_line
from bert_training.worker.spool import LOG
from tests.faults.proxy import Exchange

Key = tuple[int, int]  # number of a job, number of one of its attempts
Content = tuple[Any, ...]  # of a log line or a metric point

RECORDER = """
CREATE TABLE fault_changes (
    id bigserial PRIMARY KEY, job bigint, attempt int, current int, kind text, before text, after text
);
CREATE FUNCTION record_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.status <> NEW.status OR OLD.attempt <> NEW.attempt THEN
        INSERT INTO fault_changes (job, attempt, current, kind, before, after)
        VALUES (NEW.id, OLD.attempt, NEW.attempt, 'job', OLD.status, NEW.status);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION record_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (OLD.outcome, OLD.last_step, OLD.checkpoint_step) <> (NEW.outcome, NEW.last_step, NEW.checkpoint_step) THEN
        INSERT INTO fault_changes (job, attempt, current, kind, before, after)
        SELECT id, NEW.number, attempt, 'attempt', OLD.outcome, NEW.outcome FROM bert_jobs WHERE id = NEW.job_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER record_job AFTER UPDATE ON bert_jobs FOR EACH ROW EXECUTE FUNCTION record_job();
CREATE TRIGGER record_attempt AFTER UPDATE ON bert_job_attempts FOR EACH ROW EXECUTE FUNCTION record_attempt();
"""

JOBS = "SELECT j.id, j.run_id, j.status, r.status, j.attempt FROM bert_jobs j JOIN bert_runs r ON r.id = j.run_id"
ATTEMPTS = "SELECT job_id, number, worker_id, outcome, last_step, log_seq, metric_seq FROM bert_job_attempts"
CHANGES = "SELECT kind, job, attempt, current, before, after FROM fault_changes ORDER BY id"
LINES = """SELECT a.job_id, a.number, l.seq, l.timestamp, l.level, l.message
    FROM bert_logs l JOIN bert_job_attempts a ON a.id = l.attempt_id ORDER BY l.id"""
POINTS = """SELECT a.job_id, a.number, m.seq, m.epoch, m.step, m.split, m.values
    FROM bert_metrics m JOIN bert_job_attempts a ON a.id = m.attempt_id ORDER BY m.id"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


@dataclass(frozen=True)
class Job:
    """A row of the queue, with the status that its run shows; `attempt` is the current one, 0 = never claimed."""

    number: int
    run: int
    status: str
    run_status: str
    attempt: int


@dataclass(frozen=True)
class Attempt:
    """A row of the attempts; log_seq and metric_seq are the counters of its streams."""

    job: int
    number: int
    worker: int
    outcome: str
    last_step: int
    log_seq: int
    metric_seq: int

    @property
    def key(self) -> Key:
        """Return what its streams are found by."""
        return self.job, self.number


@dataclass(frozen=True)
class Change:
    """One change of a job's status or number ("job"), or of what an attempt reached ("attempt").

    Of a job: `attempt` is its number before, `current` after. Of an attempt: its own number, and the job's by then.
    """

    kind: str
    job: int
    attempt: int
    current: int
    before: str
    after: str


@dataclass(frozen=True)
class Call:
    """One request of a worker, as answered last; status None = it was not. Times: this process' monotonic clock."""

    worker: int
    path: str  # below the API's prefix
    body: Mapping[str, Any]
    status: int | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    retry_after: str | None = None
    delivered: bool = True
    started_at: float = 0.0
    answered_at: float = float("inf")
    answers: int = 1  # 2 when the line doubled the request

    @property
    def is_done(self) -> bool:
        """Tell whether the portal said yes, whether or not the worker heard it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Sample:
    """The web server at one moment: age of the process in seconds, open files, resident bytes."""

    process: int
    age: float
    files: int
    resident: int


@dataclass
class History:
    """All that is known about a time. Streams are by attempt: (seq, content) as stored, contents as in the spool."""

    jobs: list[Job] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    lines: dict[Key, list[tuple[int, Content]]] = field(default_factory=dict)
    points: dict[Key, list[tuple[int, Content]]] = field(default_factory=dict)
    spooled_lines: dict[Key, list[Content]] = field(default_factory=dict)
    spooled_points: dict[Key, list[Content]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    stored_cursors: dict[int, tuple[list[int], list[int]]] = field(default_factory=dict)  # by run: of lines, of points
    shown_cursors: dict[int, tuple[list[int], list[int]]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)  # temporary files of the web server


@contextmanager
def reading(database_url: str) -> Iterator[Cursor]:
    """Open a cursor that sees one moment of the database."""
    connection = psycopg2.connect(database_url)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def start_recording(database_url: str) -> None:
    """Have the database write down each change from now on."""
    connection = psycopg2.connect(database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(RECORDER)
    connection.close()


def read_rows(database_url: str) -> History:
    """Read everything that the database knows."""
    with reading(database_url) as cursor:
        return History(
            jobs=[Job(*row) for row in _rows(cursor, JOBS)],
            attempts=[Attempt(*row) for row in _rows(cursor, ATTEMPTS)],
            changes=[Change(*row) for row in _rows(cursor, CHANGES)],
            lines=_streams(_rows(cursor, LINES)),
            points=_streams(_rows(cursor, POINTS)),
            stored_cursors=_cursors(cursor),
        )


def read_all_text(database_url: str) -> Iterator[tuple[str, bytes]]:
    """Yield each table's name and all its rows as text."""
    with reading(database_url) as cursor:
        for (table,) in _rows(cursor, TABLES):
            rows = _rows(cursor, f'SELECT t::text FROM "{table}" t')  # noqa: S608 - a name from the catalogue
            yield f"table {table}", "\n".join(text for (text,) in rows).encode()


def read_spool(path: Path) -> tuple[list[Content], list[Content]]:
    """Return the lines and the points of a spool, as the portal should store them."""
    lines: list[Content] = []
    points: list[Content] = []
    for raw in path.read_bytes().split(b"\n")[:-1]:  # what follows the last newline was never finished
        record = json.loads(raw)
        if record["kind"] == LOG:
            lines.append((datetime.fromisoformat(record["ts"]), record["level"], clean_line(record["message"])))
        else:
            points.append((record["epoch"], record["step"], record["split"], record["values"]))
    return lines, points


def call_of(worker: int, exchange: Exchange) -> Call:
    """Read an exchange of a worker's proxy."""
    return Call(
        worker=worker,
        path=exchange.path.removeprefix(API_PREFIX),
        body=_json(exchange.request),
        status=exchange.status,
        answer=_json(exchange.answer),
        retry_after=exchange.answer_headers.get("retry-after"),
        delivered=exchange.delivered,
        started_at=exchange.started_at,
        answered_at=exchange.answered_at,
        answers=exchange.answers,
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _rows(cursor: Cursor, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return cursor.fetchall()


def _streams(rows: Iterable[tuple[Any, ...]]) -> dict[Key, list[tuple[int, Content]]]:
    streams: dict[Key, list[tuple[int, Content]]] = {}
    for job, number, seq, *content in rows:
        streams.setdefault((job, number), []).append((seq, tuple(content)))
    return streams


def _cursors(cursor: Cursor) -> dict[int, tuple[list[int], list[int]]]:
    found: dict[int, tuple[list[int], list[int]]] = {}
    for index, table in enumerate(("bert_logs", "bert_metrics")):
        for run, row in _rows(cursor, f"SELECT run_id, id FROM {table} ORDER BY id"):  # noqa: S608 - two known names
            found.setdefault(run, ([], []))[index].append(row)
    return found
