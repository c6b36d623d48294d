"""The test session's own promises: real servers, nothing left behind, no way out of this machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest

ROOT = Path(__file__).parent.parent
WAIT_SECONDS = 60.0

SESSION = """
import contextlib, os, pathlib, socket, sys

def test_the_servers_answer():
    names = ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "DATA_DIR")
    pathlib.Path("seen.partial").write_text("\\n".join(os.environ[name] for name in names))
    os.rename("seen.partial", "seen")
    sys.stdin.read()

def test_that_swallows_a_way_out():
    with contextlib.suppress(Exception):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
"""


@pytest.fixture
def session(tmp_path: Path) -> subprocess.Popen[str]:
    """A pytest session of its own, which stays in its first test until its standard input ends."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_session.py").write_text(SESSION)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-s",
            "-q",
            "-p",
            "tests.services",
            "-p",
            "no:django",
            "-p",
            "no:cacheprovider",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TEST_EMBEDDED": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def settings_seen(folder: Path) -> list[str]:
    """Wait until the session runs; return its DATABASE_URL, REDIS_URL, STORAGE_URL and DATA_DIR."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (folder / "seen").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return (folder / "seen").read_text().splitlines()


def is_gone(seen: list[str]) -> bool:
    """Tell whether a session's PostgreSQL and its folder are gone."""
    if Path(seen[3]).parent.exists():
        return False
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(seen[0])
    return True


def test_a_session_uses_real_servers_and_leaves_nothing_behind(session: subprocess.Popen[str], tmp_path: Path) -> None:
    seen = settings_seen(tmp_path)
    with psycopg2.connect(seen[0]) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
    output, _ = session.communicate("", timeout=WAIT_SECONDS)
    assert is_gone(seen)
    assert "1 failed, 1 passed" in output
    assert "tried to reach 192.0.2.1" in output


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_session_that_is_killed_leaves_nothing_behind(
    session: subprocess.Popen[str], tmp_path: Path, *, ending: signal.Signals
) -> None:
    seen = settings_seen(tmp_path)
    session.send_signal(ending)
    session.wait(timeout=WAIT_SECONDS)
    deadline = time.monotonic() + WAIT_SECONDS
    while Path(seen[3]).parent.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_gone(seen)
