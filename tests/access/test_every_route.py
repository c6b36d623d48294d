"""What holds for every route, whoever calls: no write by GET, none without the CSRF token, the same strict headers."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bert_training.contract.limits import API_PREFIX
from tests.access.callers import World
from tests.access.calling import send
from tests.access.routes import routes
from tests.access.table import TABLE

ROUTES = {route.name: route for route in routes()}
READ = sorted(name for name, verbs in TABLE.items() if "GET" in verbs)
WRITTEN = sorted(name for name, verbs in TABLE.items() for verb in verbs if verb != "GET")
# A session that moves on, when a token was last used and a person last here, that something was saved, and whether the
# cache can be written where the database is the cache.
ALLOWED_WRITES = {"django_session", "bert_access_tokens", "bert_home_visits", "bert_audit_events", "bert_cache"}
WRITE = re.compile(r'^(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY = ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "script-src 'self'")
FILE_POLICY = "sandbox"  # of what is saved, not shown


def reader_of(name: str) -> str:
    """Return who may ask for a route."""
    return "holder" if "superuser" not in TABLE[name]["GET"].passes else "superuser"


@pytest.mark.parametrize("name", READ)
def test_a_get_writes_nothing(world: World, name: str) -> None:
    """S16: a link that somebody is led to changes nothing."""
    with CaptureQueriesContext(connection) as queries:
        send(world, reader_of(name), "GET", ROUTES[name])
    found = {match[1] for query in queries if (match := WRITE.match(query["sql"]))}
    assert found <= ALLOWED_WRITES


@pytest.mark.parametrize("name", READ)
def test_every_answer_has_the_strict_headers(world: World, name: str) -> None:
    """S13-S15: also where a page of another site asks."""
    client = world.clients[reader_of(name)]
    client.defaults["HTTP_ORIGIN"] = "https://evil.example"
    response = send(world, reader_of(name), "GET", ROUTES[name])
    del client.defaults["HTTP_ORIGIN"]
    assert {header: response.headers.get(header) for header in HEADERS} == HEADERS
    policy = response.headers["Content-Security-Policy"]
    assert policy == FILE_POLICY or all(part in policy for part in POLICY)
    assert not [header for header in response.headers if header.lower().startswith("access-control-")]
    if response.request["PATH_INFO"].startswith(API_PREFIX):
        assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("name", sorted(set(WRITTEN)))
def test_a_write_by_session_needs_the_csrf_token(world: World, name: str) -> None:
    """S16: whatever it is, whoever is signed in."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.users["superuser"])
    verbs = [verb for verb in TABLE[name] if verb != "GET"]
    statuses = {verb: send(world, "superuser", verb, ROUTES[name], client=client).status_code for verb in verbs}
    assert statuses == dict.fromkeys(verbs, 403)
