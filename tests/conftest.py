"""Fixtures of every test: the database as production has it. People and their clients come from tests/personas.py."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Page

from tests.browser import chromium
from tests.processes import Product
from tests.services import IS_EMBEDDED

pytest_plugins = ["tests.personas", "tests.predicting", "tests.receiver"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Use a SQLite file in the embedded session: the in-memory database that Django prefers has no WAL and no locks."""
    if IS_EMBEDDED:
        settings.DATABASES["default"]["TEST"]["NAME"] = str(Path(settings.DATA_DIR).parent / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let tests of several transactions empty the audit: in SQLite they do it by DELETE, which a trigger refuses."""
    if IS_EMBEDDED:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS bert_audit_events_no_delete")


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A product of its own with nothing started yet; whatever the test starts is stopped after it."""
    product = Product(tmp_path)
    yield product
    product.stop()


@pytest.fixture
def open_page() -> Iterator[Callable[[str], Page]]:
    """A function that opens a portal's address in Chromium and returns the page (tests/browser.py)."""
    with chromium() as open_page:
        yield open_page
