"""Time in front of the application, on a clock of the test: slow heads, slow bodies, callers who never stop."""

from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from portal.connections import LINGER_BYTES, LINGER_SECONDS, SLOWEST_BYTES_PER_SECOND, PortalChannel, PortalRequest

HEAD = b"POST /bert-training/api/runs HTTP/1.1\r\nHost: localhost\r\n"


class Transport(StringTransport):  # type: ignore[misc]  # the library has no types
    """Remembers how the connection was closed."""

    half_closed = False
    aborted = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.aborted = True


def ignore(_request: object) -> None:
    """Stand in for what daphne's server and Twisted's log would note."""


class Connection:
    """A channel without a network, and an application that only notes what reaches it."""

    def __init__(self) -> None:
        self.clock, self.transport = Clock(), Transport()
        self.channel: Any = PortalChannel()
        self.channel.callLater = self.clock.callLater
        self.channel.timeOut = None
        self.reached: list[Any] = []
        server = SimpleNamespace(protocol_connected=ignore, protocol_disconnected=ignore, server_name="")
        self.channel.factory = SimpleNamespace(server=server, log=ignore)
        self.channel.requestFactory = self._make_request
        self.channel.makeConnection(self.transport)

    def _make_request(self, *arguments: Any) -> PortalRequest:
        request = PortalRequest(*arguments)
        request.process = lambda: self.reached.append(request)
        return request

    @property
    def status(self) -> int:
        """The status answered so far, 0 for none."""
        sent: bytes = self.transport.value()
        return int(sent.split(b" ")[1]) if sent else 0


@pytest.fixture
def connection() -> Connection:
    return Connection()


def test_a_connection_that_asks_for_nothing_is_closed(connection: Connection) -> None:
    connection.clock.advance(settings.REQUEST_SECONDS - 1)
    assert not connection.transport.disconnecting
    connection.clock.advance(1)
    assert connection.transport.disconnecting
    assert connection.status == 0


def test_a_head_that_drips_is_cut_however_regular_it_drips(connection: Connection) -> None:
    for byte in HEAD[: int(settings.REQUEST_SECONDS)]:
        assert connection.status == 0
        connection.channel.dataReceived(bytes([byte]))
        connection.clock.advance(1)
    assert connection.transport.disconnecting


def test_a_body_of_one_byte_a_second_is_cut(connection: Connection) -> None:
    connection.channel.dataReceived(HEAD + b"Content-Length: 100\r\n\r\n")
    for _second in range(int(settings.REQUEST_SECONDS)):
        assert connection.status == 0
        connection.clock.advance(1)
        connection.channel.dataReceived(b"x")
    connection.clock.pump([0.1, 0.1])  # the bytes have bought 7 ms
    assert connection.status == 408
    assert connection.reached == []


def test_a_body_on_a_slow_line_is_read_to_its_end(connection: Connection) -> None:
    seconds, piece = 200, b"x" * SLOWEST_BYTES_PER_SECOND
    connection.channel.dataReceived(HEAD + b"Content-Length: %d\r\n\r\n" % (len(piece) * seconds))
    for _second in range(seconds):
        connection.clock.advance(1)
        connection.channel.dataReceived(piece)
    assert connection.status == 0
    assert len(connection.reached) == 1


def test_an_application_may_take_its_time(connection: Connection) -> None:
    connection.channel.dataReceived(HEAD + b"Content-Length: 2\r\n\r\n{}")
    connection.clock.advance(100 * settings.REQUEST_SECONDS)
    assert (connection.status, connection.transport.disconnecting) == (0, False)
    assert len(connection.reached) == 1


def test_a_second_request_has_a_time_of_its_own(connection: Connection) -> None:
    connection.channel.dataReceived(HEAD + b"Content-Length: 2\r\n\r\n{}")
    connection.reached[0].finish()
    connection.transport.clear()
    connection.clock.advance(10 * settings.REQUEST_SECONDS)
    assert not connection.transport.disconnecting
    connection.channel.dataReceived(HEAD)
    connection.clock.advance(settings.REQUEST_SECONDS)
    assert connection.status == 408


def test_who_goes_on_sending_after_the_answer_has_to_wait_and_is_cut_off(connection: Connection) -> None:
    connection.channel.dataReceived(HEAD + b"Content-Length: 2000000\r\n\r\n")
    assert (connection.status, connection.transport.half_closed) == (413, True)
    connection.channel.dataReceived(b"x" * LINGER_BYTES)
    assert connection.transport.producerState == "producing"
    connection.channel.dataReceived(b"x")
    assert connection.transport.producerState == "paused"
    connection.clock.advance(LINGER_SECONDS)
    assert connection.transport.aborted


def test_who_stays_after_the_answer_is_cut_off(connection: Connection) -> None:
    connection.channel.dataReceived(b"nonsense\r\n\r\n" + HEAD + b"\r\n")
    assert (connection.status, connection.transport.half_closed) == (400, True)
    assert connection.transport.value().count(b"HTTP/1.1") == 1
    connection.clock.advance(LINGER_SECONDS)
    assert connection.transport.aborted


def test_an_answer_that_breaks_off_is_cut_and_not_glued_to_an_error_page(connection: Connection) -> None:
    connection.channel.dataReceived(HEAD + b"Content-Length: 2\r\n\r\n{}")
    request = connection.reached[0]
    request.handle_reply({"type": "http.response.start", "status": 200, "headers": []})
    request.handle_reply({"type": "http.response.body", "body": b"half", "more_body": True})
    request.handle_exception(RuntimeError("the stream broke"))
    assert connection.transport.disconnecting
    assert b"500" not in connection.transport.value()


@pytest.mark.parametrize("header", ["Cookie", "Accept-Language", "X-Request-ID"])
def test_a_refusal_reads_headers_of_any_bytes(connection: Connection, header: str) -> None:
    connection.channel.dataReceived(HEAD + header.encode() + b": \xff\xfe\r\nContent-Length: 2000000\r\n\r\n")
    assert connection.status == 413


FIRST_LINES = [
    b"POST /bert-training/api/runs HTTP/1.1",
    b"GET / HTTP/1.1",
    b"GET / HTTP/1.0",
    b"PUT * HTTP/1.1",
    b"GET http://localhost/ HTTP/1.1",
    b"GET //[::1 HTTP/1.1",
    b"GET /%ff?%ff HTTP/1.1",
]
LINES = [
    *FIRST_LINES,
    b"Host: localhost",
    b"Content-Length: 5",
    b"Content-Length: 2000000",
    b"Transfer-Encoding: chunked",
    b"Connection: close",
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Key: x",
    b"Sec-WebSocket-Version: 13",
    b"Expect: 100-continue",
    b"Cookie: session=\xff; =",
    b"Accept-Language: \xff",
    b"X-Request-ID: \xff",
    b" folded: \x00",
    b"5",
    b"0",
    b"ffffffffffffffffffff",
    b"",
]
PIECES = st.lists(st.sampled_from(LINES).map(lambda line: line + b"\r\n") | st.binary(max_size=30), max_size=12)
STATUSES = {0, 100, 400, 408, 413, 414, 431}


@pytest.mark.parametrize("examples", [100, pytest.param(5000, marks=pytest.mark.long)])
def test_any_bytes_are_refused_taken_or_waited_for(examples: int) -> None:
    @hypothesis.settings(max_examples=examples, deadline=None, derandomize=examples == 100, database=None)
    @hypothesis.given(st.sampled_from(FIRST_LINES), PIECES, st.integers(1, 60))
    def send(first: bytes, pieces: list[bytes], cut: int) -> None:
        connection, sent = Connection(), b"".join([first, b"\r\n", *pieces])
        for start in range(0, len(sent), cut):
            connection.channel.dataReceived(sent[start : start + cut])
        connection.clock.advance(settings.REQUEST_SECONDS)
        assert connection.status in STATUSES
        assert all(request.body_bytes <= request.limit for request in connection.reached)

    send()
