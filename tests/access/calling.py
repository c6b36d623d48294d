"""Sends a request of the matrix and says how far it got."""

import json
from typing import Any

from django.test import Client

from tests.access.callers import World, undone
from tests.access.routes import Route
from tests.access.rules import FORBIDDEN, NOT_FOUND, PASSES, SIGN_IN
from tests.access.table import BODIES, QUERIES

OUTCOMES = {401: SIGN_IN, 403: FORBIDDEN, 404: NOT_FOUND}
SIGN_IN_PAGES = ("/sign-in?", "/admin/login/?")


def send(world: World, caller: str, verb: str, route: Route, *, client: Client | None = None) -> Any:
    """Send one request, with the caller's own client unless one is given, and take back whatever it did."""
    make_body = BODIES.get((route.name, verb))
    body = make_body(world) if make_body else {}
    is_form = not route.name.startswith("api:")
    sent: dict[str, Any] = {"data": body} if is_form and verb == "POST" else {}
    if not sent and verb != "GET":
        sent = {"data": json.dumps(body) if body else "", "content_type": "application/json"}
    address = route.address(world.values_of(route.name)) + QUERIES.get((route.name, caller), "")
    with undone():
        return getattr(client or world.clients[caller], verb.lower())(address, **sent)


def outcome_of(response: Any) -> str:
    """Tell how far a caller got; what is wrong with the request itself is said to who may send it."""
    assert response.status_code < 500, response.content[:2000]
    if response.status_code == 302 and response["Location"].startswith(SIGN_IN_PAGES):
        return SIGN_IN
    return OUTCOMES.get(response.status_code, PASSES)
