"""The proxy itself: each fault does what it says, and everything is on record."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.faults import bad_line
from tests.faults.proxy import Fault, Proxy
from tests.processes import wait_until

BODY = b"0123456789" * 1000
CUT = (http.client.HTTPException, OSError)  # a connection that ends in the middle, politely or by RST


class Portal(ThreadingHTTPServer):
    """Answers every POST with its number and BODY."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[bytes] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, _request: object, _address: object) -> None:
        return  # a request that breaks off is what these tests are about


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Portal

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) < int(self.headers["Content-Length"]):
            return
        self.server.seen.append(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture
def portal() -> Iterator[Portal]:
    with Portal() as portal:
        yield portal
        portal.shutdown()


@pytest.fixture
def proxy(portal: Portal) -> Iterator[Proxy]:
    with Proxy(portal.server_port) as proxy:
        yield proxy


def post(proxy: Proxy, body: bytes = b"hello", *, path: str = "/logs/batch", seconds: float = 10.0) -> bytes:
    """Post on a connection of its own; returns the body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=seconds)
    try:
        connection.request("POST", path, body)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_an_exchange_is_recorded_whole(proxy: Proxy) -> None:
    assert post(proxy) == BODY
    wait_until(lambda: proxy.exchanges[0].delivered)
    (exchange,) = proxy.exchanges
    assert (exchange.method, exchange.path, exchange.request) == ("POST", "/logs/batch", b"hello")
    assert (exchange.status, exchange.answer, exchange.headers["content-length"]) == (200, BODY, "5")
    assert exchange.started_at <= time.monotonic()


def test_one_connection_carries_many_requests(proxy: Proxy, portal: Portal) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    for number in range(3):
        connection.request("POST", f"/{number}", b"")
        assert connection.getresponse().read() == BODY
    connection.close()
    assert len(portal.seen) == 3


@pytest.mark.parametrize(
    ("fault", "arrivals"),
    [
        (bad_line.drop_request(), 0),
        (bad_line.drop_response(), 1),
        (bad_line.reset_after(200), 1),
        (bad_line.reset_request_after(100), 0),
        (bad_line.alter_answer(lambda body: body[:-1]), 1),
    ],
    ids=lambda value: getattr(value, "__qualname__", "").partition(".")[0],
)
def test_a_cut_call_fails_for_the_client_whatever_the_portal_did(
    proxy: Proxy, portal: Portal, fault: Fault, arrivals: int
) -> None:
    rule = proxy.set(fault)
    with pytest.raises(CUT):
        post(proxy, b"x" * 1000)
    assert (rule.hits, len(portal.seen), proxy.exchanges[0].delivered) == (1, arrivals, False)
    proxy.clear()
    assert post(proxy) == BODY


def test_a_reset_is_a_reset(proxy: Proxy) -> None:
    proxy.set(bad_line.reset_after(0))
    with pytest.raises(ConnectionResetError):
        post(proxy)


def test_a_doubled_request_arrives_twice_and_is_answered_once(proxy: Proxy, portal: Portal) -> None:
    proxy.set(bad_line.duplicate())
    assert post(proxy) == BODY
    assert portal.seen == [b"hello", b"hello"]


def test_what_is_held_back_arrives_after_what_was_sent_later(proxy: Proxy, portal: Portal) -> None:
    go = threading.Event()
    rule = proxy.set(bad_line.hold_back(until=go), times=1)
    with pytest.raises(CUT):
        post(proxy, b"first")
    post(proxy, b"second")
    go.set()
    wait_until(lambda: len(portal.seen) == 2)
    assert (portal.seen, rule.hits) == ([b"second", b"first"], 1)


def test_late_packets_arrive_within_their_time(proxy: Proxy, portal: Portal) -> None:
    proxy.set(bad_line.hold_back(0.2))
    with pytest.raises(CUT):
        post(proxy)
    wait_until(lambda: portal.seen == [b"hello"], seconds=10)


def test_latency_and_drips_take_their_time(proxy: Proxy) -> None:
    for fault in (bad_line.latency(0.2), bad_line.slow_drip(50_000), bad_line.drip_request(300)):
        rule = proxy.set(fault)
        began = time.monotonic()
        assert post(proxy) == BODY
        assert time.monotonic() - began >= 0.2, rule.name
        proxy.clear()


def test_a_black_hole_never_answers_and_leaves_new_connections_alone_once_it_is_over(proxy: Proxy) -> None:
    proxy.set(bad_line.blackhole())
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.1)
    connection.request("POST", "/", b"")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    proxy.clear()
    assert post(proxy) == BODY
    connection.close()


def test_a_closed_door_refuses_and_resets(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port)) as waiting:
        waiting.sendall(b"POST / HTTP/1.1\r\n")
        wait_until(lambda: len(proxy.connections) == 1)
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            waiting.recv(1)
    with pytest.raises(ConnectionRefusedError):
        post(proxy)
    proxy.clear()
    assert post(proxy) == BODY


def test_an_altered_byte_arrives_under_the_true_headers(proxy: Proxy) -> None:
    proxy.set(bad_line.alter_answer(lambda body: b"X" + body[1:]))
    assert post(proxy) == b"X" + BODY[1:]


def test_something_else_can_answer(proxy: Proxy, portal: Portal) -> None:
    proxy.set(bad_line.answer(503, b"<html>", {"Retry-After": "7"}))
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    connection.request("POST", "/", b"")
    response = connection.getresponse()
    assert (response.status, response.headers["Retry-After"], response.read()) == (503, "7", b"<html>")
    assert portal.seen == []
    connection.close()


def test_a_portal_that_is_not_there_looks_so(portal: Portal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Proxy(port) as proxy, pytest.raises(ConnectionResetError):
        post(proxy)


def test_rules_are_limited_by_path_share_and_times(proxy: Proxy, portal: Portal) -> None:
    few = proxy.set(bad_line.duplicate(), on="/metrics", times=2)
    some = proxy.set(bad_line.duplicate(), on="/logs", share=0.3)
    for _ in range(4):
        post(proxy, path="/metrics")
    for _ in range(40):
        post(proxy, path="/logs/batch")
    assert (few.name, few.hits) == ("duplicate", 2)
    assert 6 <= some.hits <= 18
    assert len(portal.seen) == 44 + few.hits + some.hits


def test_faults_add_up(proxy: Proxy, portal: Portal) -> None:
    proxy.set(bad_line.drop_response(), times=1)
    proxy.set(bad_line.duplicate())
    with pytest.raises(CUT):
        post(proxy)
    assert post(proxy) == BODY
    assert len(portal.seen) == 4
