"""The world of the matrix, made once for each module that asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.callers import World, make_world, undone


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Open the database for a whole module instead of one test, in a transaction that ends with it."""
    with django_db_blocker.unblock(), undone():
        yield


@pytest.fixture(scope="module")
def world(db: None) -> World:
    """All callers and rows."""
    return make_world()
