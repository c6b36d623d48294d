"""Viewers of a run: the websocket as the ASGI server routes it, and records for them to see."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.live.routing import websocket_urlpatterns
from bert_training.models import Job, JobAttempt, Log, Metric, Run
from bert_training.services.sharing import share_with

ROUTES: list[Any] = list(websocket_urlpatterns)
APPLICATION = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(ROUTES)))
WAIT_SECONDS = 10.0  # for what comes at once; a busy machine may be slow
NEVER_SECONDS = 3600.0

Change = Callable[[User, Run], Any]
Scenario = Callable[[], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the rings as the only cause of frames; tests of the polling shorten it."""
    monkeypatch.setattr("bert_training.live.feed.POLL_SECONDS", NEVER_SECONDS)


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the connection that holds the test's transaction; the library closes it after each use."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


def play(scenario: Scenario) -> Any:
    """Run a scenario in an event loop; its database work happens in this thread, in the test's transaction."""
    return async_to_sync(scenario)()


in_database = sync_to_async


def signed_in(user: User | None) -> Client:
    """Return a client with the session of a person, or without one."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def socket_of(client: Client, run_id: int, *, origin: bytes = b"http://testserver", language: str = "") -> Any:
    """Return the websocket that the page of a run would open."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    sent = [(b"host", b"testserver"), (b"origin", origin), (b"cookie", cookies.encode())]
    sent.append((b"accept-language", language.encode()))
    return WebsocketCommunicator(APPLICATION, f"/ws/runs/{run_id}", headers=sent)


async def open_socket(client: Client, run_id: int, *, logs: int = 0, metrics: int = 0, language: str = "") -> Any:
    """Open the websocket and greet; returns it ready to receive frames."""
    socket = socket_of(client, run_id, language=language)
    connected, _subprotocol = await socket.connect(WAIT_SECONDS)
    assert connected
    await socket.send_json_to({"after": {"logs": logs, "metrics": metrics}})
    return socket


async def next_frame(socket: Any) -> dict[str, Any]:
    """Return the next frame."""
    frame: dict[str, Any] = await socket.receive_json_from(WAIT_SECONDS)
    return frame


async def close_code(socket: Any) -> int:
    """Return the code with which the portal closes the socket, past frames that come before."""
    while (output := await socket.receive_output(WAIT_SECONDS))["type"] != "websocket.close":
        pass
    await leave(socket)  # as the server reports the end of every socket
    code: int = output["code"]
    return code


async def leave(*sockets: Any) -> None:
    """Close the sockets as a page that goes away."""
    await asyncio.gather(*(socket.disconnect(timeout=WAIT_SECONDS) for socket in sockets))


def attempt_of(run: Run) -> JobAttempt:
    """Return the newest attempt."""
    return Job.objects.get(run=run).attempts.latest("number")


def write_lines(run: Run, *messages: str) -> list[int]:
    """Store log lines as the service does; returns their cursors. Nobody is rung."""
    attempt = attempt_of(run)
    first = Log.objects.filter(attempt=attempt).count() + 1
    rows = [
        Log(run=run, attempt=attempt, seq=seq, timestamp=timezone.now(), level="INFO", message=message)
        for seq, message in enumerate(messages, start=first)
    ]
    return [row.pk for row in Log.objects.bulk_create(rows)]


def write_point(run: Run, step: int) -> int:
    """Store a metric point; returns its cursor."""
    attempt = attempt_of(run)
    seq = Metric.objects.filter(attempt=attempt).count() + 1
    values = {"loss": 0.5}
    return Metric.objects.create(run=run, attempt=attempt, seq=seq, epoch=1, step=step, split="train", values=values).pk


def messages_of(frame: dict[str, Any]) -> list[str]:
    """Return the texts of a frame's log lines."""
    return [line["message"] for line in frame["logs"]]


def is_redis() -> bool:
    """Tell whether the channel layer reaches other processes."""
    return bool(settings.REDIS_URL)


def withdraw_share(_viewer: User, run: Run) -> None:
    """Take the run from its team, as its owner does."""
    share_with(run, {}, actor=run.owner)


def withdraw_role(viewer: User, _run: Run) -> None:
    """Leave a person without any role."""
    viewer.user_permissions.clear()


def leave_team(viewer: User, _run: Run) -> None:
    """Take a person out of their teams."""
    viewer.teams.clear()


def deactivate(viewer: User, _run: Run) -> None:
    """Shut a person out."""
    User.objects.filter(pk=viewer.pk).update(is_active=False)


# What ends the view of a run that came to a person by their team.
WITHDRAWALS = [withdraw_share, withdraw_role, leave_team, deactivate]
