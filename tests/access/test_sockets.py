"""Every websocket by every caller: who is let in, and with which code the others are closed."""

import pytest

from bert_training.live.routing import websocket_urlpatterns
from tests.access.callers import ANONYMOUS, CALLERS, WORKERS, World
from tests.access.rules import FORBIDDEN, NOT_FOUND, PASSES, SIGN_IN, VIEW, Rule
from tests.live.conftest import close_code, next_frame, play, socket_of

pytestmark = pytest.mark.embedded

SOCKETS: dict[str, Rule] = {"run-socket": VIEW}
CODES = {SIGN_IN: 4401, NOT_FOUND: 4404, FORBIDDEN: 4404}


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the connection that holds the world; the library closes it after each use."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


def test_every_socket_has_its_row() -> None:
    assert {route.name for route in websocket_urlpatterns if route.name} == set(SOCKETS)


@pytest.mark.parametrize("caller", CALLERS)
def test_a_run_is_followed_by_who_may_see_it(world: World, caller: str) -> None:
    known = ANONYMOUS if caller in WORKERS else caller

    async def scenario() -> str | int:
        socket = socket_of(world.clients[caller], world.run.pk)
        await socket.connect()
        await socket.send_json_to({"after": {"logs": 0, "metrics": 0}})
        outcome = SOCKETS["run-socket"].outcome(known)
        if outcome != PASSES:
            return await close_code(socket)
        await next_frame(socket)
        await socket.disconnect()
        return PASSES

    expected = SOCKETS["run-socket"].outcome(known)
    assert play(scenario) == CODES.get(expected, expected)
