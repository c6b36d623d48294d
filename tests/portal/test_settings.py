"""Settings come from the environment; a wrong value stops the start with a sentence that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
SQLITE_FULL = 2
START = "import django; django.setup(); from django.conf import settings; print(settings.SECRET_KEY)"


LOAD = ("-c", START)


def start(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a fresh process that has nothing set but what is given."""
    clean = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "portal.settings", "DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, *(command or LOAD)],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_debug_there_is_no_default_key(tmp_path: Path) -> None:
    result = start(tmp_path)
    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_with_debug_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = start(tmp_path, DEBUG="1"), start(tmp_path, DEBUG="1")
    assert first.returncode == 0, first.stderr
    assert len(first.stdout.strip()) > 40
    assert first.stdout == second.stdout
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("kept-in-a-file\n")
    assert start(tmp_path, SECRET_KEY_FILE=str(secret)).stdout.strip() == "kept-in-a-file"


WRONG = [
    ("DEBUG", "maybe"),
    ("LEASE_SECONDS", "soon"),
    ("LEASE_SECONDS", "-1"),
    ("TICK_SECONDS", "nan"),
    ("DATABASE_URL", "mysql://x/y"),
    ("DATABASE_URL", "nonsense"),
    ("REDIS_URL", "http://cache"),
    ("STORAGE_URL", "ftp://files"),
    ("STORAGE_URL", "s3://bucket?endpiont=x"),
    ("BASE_URL", "portal.example"),
    ("LANGUAGE_CODE", "xx"),
    ("SECRET_KEY_FILE", "/nonexistent/key"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value}" for name, value in WRONG])
def test_a_wrong_value_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    key = {} if name == "SECRET_KEY_FILE" else {"SECRET_KEY": "x" * 50}
    result = start(tmp_path, **key, **{name: value})
    assert result.returncode != 0
    assert name in result.stderr.splitlines()[-1]


def test_the_production_settings_pass_djangos_own_deployment_check(tmp_path: Path) -> None:
    result = start(
        tmp_path,
        *("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        SECRET_KEY="".join(map(chr, range(48, 123))),
        BASE_URL="https://portal.example",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert result.returncode == 0, result.stderr


def test_no_migration_is_missing(tmp_path: Path) -> None:
    result = start(tmp_path, "manage.py", "makemigrations", "--check", "--dry-run", SECRET_KEY="x" * 50)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.django_db
@pytest.mark.embedded
def test_a_commit_waits_for_the_disk() -> None:
    """R4: a 2xx is not taken back by a power cut, whatever the server's own default is."""
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit" if is_postgres else "PRAGMA synchronous")
        assert cursor.fetchone() == (("on",) if is_postgres else (SQLITE_FULL,))
