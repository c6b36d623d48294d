"""Every route by every caller by every verb: who passes, who must sign in, who is refused, to whom there is nothing.

The routes come from the URL configuration: one that has no row in the table fails.
"""

import pytest

from tests.access.callers import ANONYMOUS, CALLERS, WORKERS, World
from tests.access.calling import outcome_of, send
from tests.access.routes import VERBS, nameless, routes
from tests.access.rules import SIGN_IN
from tests.access.table import ELSEWHERE, TABLE

ROUTES = {route.name: route for route in routes() if not route.name.startswith("admin:")}
ADMIN = {route.name: route for route in routes() if route.name.startswith("admin:")}
# Each answer is made by a child process of half a second, or is as long.
SLOW = {f"{door}:dataset-{kind}" for door in ("api", "pages") for kind in ("problems", "workbook")}
SLOW |= {"api:schema"} | {f"{door}:run-label-errors-workbook" for door in ("api", "pages")}
SLOW |= {"pages:run-slices", "pages:run-slices-svg", "pages:run-slices-csv"}
ADMINS_DOOR = {"admin:login", "admin:logout"}


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert set(ROUTES) == set(TABLE) | ELSEWHERE


def test_a_route_without_a_name_is_the_admins_own() -> None:
    """It redirects from an old form of an address, or catches what the admin does not know, behind its sign-in."""
    assert [pattern for pattern in nameless() if not pattern.startswith("admin/")] == []


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_route_lets_in_whom_its_rule_names(world: World, name: str) -> None:
    found: dict[tuple[str, str], str] = {}
    promised: dict[tuple[str, str], str] = {}
    for verb, rule in TABLE[name].items():
        for caller in CALLERS if name not in SLOW else (ANONYMOUS, "norole", "mate_view", "stranger", "holder"):
            found[verb, caller] = outcome_of(send(world, caller, verb, ROUTES[name]))
            # A page knows no worker: its token is no sign-in there.
            known = ANONYMOUS if not name.startswith(("api:", "health")) and caller in WORKERS else caller
            promised[verb, caller] = rule.outcome(known)
    assert {key: found[key] for key in found if found[key] != promised[key]} == {
        key: promised[key] for key in found if found[key] != promised[key]
    }


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_verb_that_a_route_does_not_name_is_refused(world: World, name: str) -> None:
    """Also to who may do everything."""
    others = [verb for verb in VERBS if verb not in TABLE[name]]
    caller = "holder" if all("holder" in rule.passes for rule in TABLE[name].values()) else "superuser"
    assert {verb: send(world, caller, verb, ROUTES[name]).status_code for verb in others} == dict.fromkeys(others, 405)


@pytest.mark.parametrize("name", sorted(set(ADMIN) - ADMINS_DOOR))
def test_the_admin_lets_in_staff_alone(world: World, name: str) -> None:
    others = (ANONYMOUS, "owner", "operator", "holder")
    sent = [(verb, caller) for verb in ("GET", "POST") for caller in others]
    found = {(verb, caller): outcome_of(send(world, caller, verb, ADMIN[name])) for verb, caller in sent}
    assert {key: outcome for key, outcome in found.items() if outcome != SIGN_IN} == {}
    assert outcome_of(send(world, "superuser", "GET", ADMIN[name])) != SIGN_IN
