"""Gives the tests real PostgreSQL, Valkey and S3 before Django reads its settings: early plugin, conftest is too late.

TEST_EMBEDDED=1: SQLite, in-memory channel layer and plain files instead, as on a fresh checkout. TEST_DATABASE_URL and
TEST_REDIS_URL name servers to use instead of starting some.
"""

import logging
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests import servers
from tests.janitor import the_janitor

pytest_plugins = ["tests.network_guard"]

IS_EMBEDDED = os.environ.get("TEST_EMBEDDED", "") not in ("", "0")

# What a test may rely on, whatever the machine has set. Seconds are small so that a lease can lapse inside a test.
FIXED = {
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    "DEBUG": "0",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "BASE_URL": "http://testserver",
    "LEASE_SECONDS": "2",
    "HEARTBEAT_SECONDS": "0.5",
    "TICK_SECONDS": "0.5",
    "LANGUAGE_CODE": "pt-br",
    "TIME_ZONE": "America/Sao_Paulo",
    "EMAIL_URL": "memorymail://",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
UNSET = ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "BERT_API_URL", "BERT_TOKEN", "BERT_TOKEN_FILE", "BERT_MODELS_DIR")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Start everything first: as a wrapper this runs before the hook in which pytest-django reads the settings."""
    folder = Path(tempfile.mkdtemp(prefix="bert-tests-")).resolve()
    the_janitor().remove(folder)
    for name in (*UNSET, *PROXIES):
        os.environ.pop(name, None)
    os.environ.update(FIXED)
    os.environ["DATA_DIR"] = str(folder / "data")
    if IS_EMBEDDED:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'portal.sqlite3'}"
    else:
        os.environ.update(start_servers(folder))
    return (yield)


def start_servers(folder: Path) -> dict[str, str]:
    """Start PostgreSQL, Valkey and S3 (1 s together); returns the settings that name them."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the S3 server prints every request otherwise
    return {
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or servers.start_postgres(folder),
        "REDIS_URL": os.environ.get("TEST_REDIS_URL") or servers.start_valkey(folder),
        "STORAGE_URL": servers.start_s3(),
    }
