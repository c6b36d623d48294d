"""What the portal has acknowledged is stored, whatever happens to it or to its database; meanwhile it answers 503.

One portal on a PostgreSQL of its own, which writes to the disk as one in an office does.
"""

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx2
import psycopg2
import pytest

from bert_training.contract.limits import API_PREFIX
from bert_training.demo.processes import MANAGE
from tests.faults.streaming import Office, Stream
from tests.janitor import the_janitor
from tests.processes import opened
from tests.servers import Postgres
from tests.services import IS_EMBEDDED
from tests.workbooks import workbook_bytes

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(IS_EMBEDDED, reason="SQLite has no server that could end, refuse or be full"),
]
MAY_MOUNT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")

MIB = 2**20
MOST_WAIT_SECONDS = 0.2  # several requests long, so that a kill meets each of their moments
LOCK_TIMEOUT_SECONDS = 0.3
CONNECTIONS = 40
DURABLE = {"fsync": "on", "full_page_writes": "on", "max_connections": str(CONNECTIONS)}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's account may enter, unlike those of pytest; with two small disks, if possible."""
    folder = Path(tempfile.mkdtemp(prefix="bert-faults-")).resolve()
    the_janitor().remove(folder)
    disks = [folder / name for name in ("files", "tables")]
    for disk in disks:
        disk.mkdir()
        if os.geteuid() == 0:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0777", "none", str(disk)], check=True)
    yield folder
    for disk in disks:
        if disk.is_mount():
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Postgres:
    postgres = Postgres(folder, **DURABLE)
    if postgres.account is not None:
        shutil.chown(folder / "tables", postgres.account)
    return postgres


@pytest.fixture(scope="module")
def office(folder: Path, postgres: Postgres) -> Iterator[Office]:
    home = folder / "portal"
    home.mkdir()
    own = {"LOCK_TIMEOUT_SECONDS": f"{LOCK_TIMEOUT_SECONDS:g}", "STORAGE_URL": (folder / "files").as_uri()}
    with opened(Office(home, DATABASE_URL=postgres.url, **own)) as office:
        yield office


@pytest.fixture
def stream(office: Office) -> Stream:
    return office.new_stream()


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_what_a_killed_portal_acknowledged_is_stored_whole(office: Office, stream: Stream, kills: int) -> None:
    """F-16: kill -9 of the web server at random, again and again; the sender repeats what was not acknowledged."""
    chance = random.Random(kills)
    with stream.flowing():
        for _kill in range(kills):
            stream.await_more()
            time.sleep(chance.uniform(0, MOST_WAIT_SECONDS))
            office.kill_web()
            assert_acknowledged_is_stored(office, stream)
            office.start_web()
    assert office.stored(stream) == stream.written
    assert set(stream.statuses) <= {200, None}


def assert_acknowledged_is_stored(office: Office, stream: Stream) -> None:
    """The database has all that was acknowledged, and at most the one batch under way, whole (I5)."""
    stream.await_status(None)
    lost = stream.under_way
    assert lost is not None
    assert office.stored(stream) in (stream.acknowledged, lost.first_seq - 1 + lost.lines)


@pytest.mark.parametrize("crashes", [1, pytest.param(10, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
def test_a_crash_of_postgres_costs_nothing_that_was_acknowledged(
    office: Office, postgres: Postgres, stream: Stream, crashes: int
) -> None:
    """F-19: pg_ctl -m immediate restart under load."""
    with stream.flowing():
        for _crash in range(crashes):
            stream.await_more()
            postgres.crash()
            stream.await_status(503)
            acknowledged = stream.acknowledged
            postgres.start()
            assert office.stored(stream) >= acknowledged
            stream.await_more()
    assert office.stored(stream) == stream.written
    stream.assert_only_503()


def test_a_database_without_a_free_connection_is_away_until_it_has_one(office: Office, stream: Stream) -> None:
    """F-20: others take all connections; the portal needs no restart."""
    with stream.flowing():
        stream.await_more()
        with all_connections_taken(office):
            stream.await_status(503)
        stream.await_more()
    assert office.stored(stream) == stream.written
    stream.assert_only_503()


@contextmanager
def all_connections_taken(office: Office) -> Iterator[None]:
    """Take each connection that the server has, those of the portal too."""
    hogs = [psycopg2.connect(office.database_url)]
    hogs[0].autocommit = True
    is_full = False
    try:
        while not is_full:
            with hogs[0].cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> ALL(%s)",
                    [[hog.info.backend_pid for hog in hogs]],
                )
            try:
                while True:
                    hogs.append(psycopg2.connect(office.database_url))
            except psycopg2.OperationalError:
                is_full = len(hogs) == CONNECTIONS
        yield
    finally:
        for hog in hogs:
            hog.close()


def test_a_locked_job_holds_up_only_its_own_worker(office: Office, stream: Stream) -> None:
    """F-21: a long transaction holds the row of a job."""
    other = office.new_stream()
    with closing(psycopg2.connect(office.database_url)) as holder, stream.flowing(), other.flowing():
        stream.await_more()
        with holder, holder.cursor() as cursor:
            cursor.execute("SELECT 1 FROM bert_jobs WHERE id = %s FOR UPDATE", [stream.job_id])
            stream.await_status(503)
            before = stream.acknowledged
            other.await_more()
            office.new_stream()  # another job is claimed meanwhile
            assert stream.acknowledged == before
        stream.await_more()
    assert (office.stored(stream), office.stored(other)) == (stream.written, other.written)
    assert set(other.statuses) == {200}
    stream.assert_only_503()


@MAY_MOUNT
def test_a_full_disk_of_the_files_refuses_uploads_and_leaves_nothing_behind(office: Office, folder: Path) -> None:
    """F-31: storage on a disk without space; the upload is stored once there is some."""
    content = workbook_bytes("text-classification", rows=2000, salt="full")
    before = files_below(folder / "files")
    with no_space(folder / "files", left=len(content) // 2):
        answer = upload(office, content)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
        assert "retry-after" in answer.headers
        assert office.query("SELECT count(*) FROM bert_datasets WHERE name = 'full'") == [(0,)]
    assert files_below(folder / "files") == before
    assert upload(office, content).status_code == 201


@MAY_MOUNT
def test_a_full_disk_of_the_database_costs_no_line(office: Office, folder: Path, stream: Stream) -> None:
    """F-31: the disk of the log's table is full; lines wait in the worker's spool and are stored later."""
    office.query(f"CREATE TABLESPACE small LOCATION '{folder / 'tables'}'")
    office.query("ALTER TABLE bert_logs SET TABLESPACE small")
    try:
        with stream.flowing():
            stream.await_more()
            with no_space(folder / "tables", left=0):
                stream.await_status(503)
            stream.await_more()
        assert office.stored(stream) == stream.written
        stream.assert_only_503()
    finally:
        office.query("ALTER TABLE bert_logs SET TABLESPACE pg_default")


@contextmanager
def no_space(disk: Path, *, left: int) -> Iterator[None]:
    """Fill a disk for as long as the block runs, down to so many bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    os.truncate(filler, filler.stat().st_size - left)
    try:
        yield
    finally:
        filler.unlink()


def files_below(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def upload(office: Office, content: bytes) -> httpx2.Response:
    token = office.product.accounts["token"]
    return httpx2.post(
        f"{office.product.base_url}{API_PREFIX}/datasets/upload",
        headers={"Authorization": f"Bearer {token}"},
        data={"task": "text-classification", "name": "full"},
        files={"file": ("full.xlsx", content)},
        trust_env=False,
        timeout=60,
    )


def test_tables_that_a_migration_changes_are_away_until_it_is_done(office: Office, stream: Stream) -> None:
    """F-56: a lock on the whole table for longer than a call waits, then a column that is not there yet."""
    with stream.flowing():
        stream.await_more()
        with closing(psycopg2.connect(office.database_url)) as migration:
            with migration, migration.cursor() as cursor:
                cursor.execute("ALTER TABLE bert_logs RENAME COLUMN message TO text")
                stream.await_status(503)
            stream.await_status(503)
            with migration, migration.cursor() as cursor:
                cursor.execute("ALTER TABLE bert_logs RENAME COLUMN text TO message")
        stream.await_more()
    assert office.stored(stream) == stream.written
    stream.assert_only_503()


@pytest.mark.long
def test_a_migration_under_load_loses_nothing(office: Office, stream: Stream) -> None:
    """F-56: manage.py migrate takes back and applies all that came after 0002 while lines arrive."""
    with stream.flowing():
        stream.await_more()
        migrate(office, "0002")
        migrate(office)
        stream.await_more()
    assert office.stored(stream) == stream.written
    stream.assert_only_503()


def migrate(office: Office, *target: str) -> None:
    command = [*MANAGE, "migrate", "bert_training", *target]
    done = subprocess.run(command, env=office.product.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
