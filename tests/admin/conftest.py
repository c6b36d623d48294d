"""Staff at work in the admin, in English, so that tests can read the pages."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.admin.rows import fill_tables


@pytest.fixture
def staff(root: User) -> Client:
    """Root's browser."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(root)
    return client


@pytest.fixture
def person(ana: User) -> Client:
    """The browser of somebody who is no staff."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(ana)
    return client


@pytest.fixture
def filled(ana: User) -> None:
    """Two rows of everything."""
    fill_tables(ana, 2)
