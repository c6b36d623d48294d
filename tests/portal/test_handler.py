"""The ASGI handler: one thread a request, which stays for the next one; a bounded number at once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref import testing
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from portal import handler as module
from portal.handler import PortalHandler

WAIT_SECONDS = 10.0
SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"testserver")]}
pytestmark = pytest.mark.asyncio
Communicator: Any = testing.ApplicationCommunicator  # it has no types


class Handler(PortalHandler):
    """Answers by a function in place of middlewares and view."""

    answer: Callable[[], HttpResponseBase] = staticmethod(lambda: HttpResponse(threading.current_thread().name))

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        return self.answer()


@pytest.fixture
def handler() -> Iterator[Handler]:
    handler = Handler()
    yield handler
    while handler._threads:  # one may still be on its way back
        thread = handler._threads.pop()
        thread.submit(connection.close)
        thread.shutdown()


async def ask(handler: PortalHandler) -> bytes:
    """Make one request; returns the body."""
    server = Communicator(handler, SCOPE)
    await server.send_input({"type": "http.request", "body": b""})
    await server.receive_output(WAIT_SECONDS)
    body: bytes = (await server.receive_output(WAIT_SECONDS))["body"]
    await server.wait(WAIT_SECONDS)
    return body


async def come_back(handler: PortalHandler) -> None:
    """Wait until a thread is free again, and idle: what it was told before is done."""
    while not handler._threads:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(lambda: handler._threads[0].submit(bool).result())


async def idle_threads(handler: Handler, count: int) -> None:
    """Wait until so many threads have come back."""
    async with asyncio.timeout(WAIT_SECONDS):
        while len(handler._threads) < count:
            await asyncio.sleep(0.01)


async def test_requests_one_after_the_other_share_a_thread(handler: Handler) -> None:
    first = await ask(handler)
    await come_back(handler)
    assert await ask(handler) == first


async def test_a_thread_comes_back_only_when_its_work_is_done(handler: Handler) -> None:
    began, may_end = threading.Event(), threading.Event()

    def answer() -> HttpResponse:
        began.set()
        may_end.wait(WAIT_SECONDS)
        return HttpResponse()

    handler.answer = answer
    server = Communicator(handler, SCOPE)
    await server.send_input({"type": "http.request", "body": b""})
    await asyncio.to_thread(began.wait, WAIT_SECONDS)
    server.stop()  # the server gives the request up, as daphne does when a caller has left
    await asyncio.sleep(0)
    assert not handler._threads
    handler.answer = Handler.answer
    assert await ask(handler)  # by another thread
    may_end.set()
    await idle_threads(handler, 2)


async def test_who_leaves_keeps_the_turn_until_the_work_is_done(handler: Handler) -> None:
    began, may_end = threading.Event(), threading.Event()

    def answer() -> HttpResponse:
        began.set()
        may_end.wait(WAIT_SECONDS)
        return HttpResponse()

    handler.answer, handler._turns = answer, asyncio.Semaphore(1)
    server = Communicator(handler, SCOPE)
    await server.send_input({"type": "http.request", "body": b""})
    await asyncio.to_thread(began.wait, WAIT_SECONDS)
    await server.send_input({"type": "http.disconnect"})
    await asyncio.sleep(0.05)
    assert handler._turns.locked()
    may_end.set()
    await server.wait(WAIT_SECONDS)
    assert not handler._turns.locked()


async def test_more_requests_than_turns_wait(handler: Handler) -> None:
    at_once = most = 0
    lock = threading.Lock()

    def answer() -> HttpResponse:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        pause.wait(0.02)
        with lock:
            at_once -= 1
        return HttpResponse(b"ok")

    pause = threading.Event()
    handler.answer, handler._turns = answer, asyncio.Semaphore(2)
    assert await asyncio.gather(*(ask(handler) for _number in range(8))) == [b"ok"] * 8
    assert most == 2


async def test_a_thread_that_is_one_too_many_ends(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[threading.Thread] = []

    def answer() -> HttpResponse:
        used.append(threading.current_thread())
        return HttpResponse(b"ok")

    handler.answer = answer
    monkeypatch.setattr(module, "REQUESTS_AT_ONCE", 0)
    await ask(handler)
    await asyncio.to_thread(used[0].join, WAIT_SECONDS)
    assert not used[0].is_alive()
    assert not handler._threads


async def test_a_stream_reads_outside_of_the_threads_of_requests(handler: Handler) -> None:
    names: list[str] = []

    def answer() -> HttpResponseBase:
        names.append(threading.current_thread().name)
        return StreamingHttpResponse(pieces())

    async def pieces() -> Any:
        yield await sync_to_async(lambda: threading.current_thread().name)()

    handler.answer = answer
    assert (await ask(handler)).decode() not in names


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators")
async def test_a_file_is_read_by_the_thread_of_its_request(handler: Handler) -> None:
    names: list[str] = []

    def answer() -> HttpResponseBase:
        names.append(threading.current_thread().name)
        return StreamingHttpResponse(threading.current_thread().name for _piece in range(1))

    handler.answer = answer
    assert [(await ask(handler)).decode()] == names


async def test_a_stream_takes_no_place_among_the_connected(handler: Handler) -> None:
    handler.answer = lambda: StreamingHttpResponse(pieces())

    async def pieces() -> Any:
        yield str(len(handler._connected)).encode()

    assert await ask(handler) == b"0"
