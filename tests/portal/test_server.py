"""The real server process and raw sockets: what is too long, too slow or no HTTP is refused before the application."""

import json
import os
import re
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.processes import Product, wait_until

pytestmark = pytest.mark.processes

MIB = 2**20
API = "/bert-training/api"
UPLOAD = f"{API}/datasets/upload"
REQUEST_SECONDS = 2.0
ANSWER_SECONDS = 30.0  # a busy machine
GROWTH_BYTES = 10 * MIB
IDLE_CONNECTIONS = 1000
SEES_OPEN_FILES = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are looked up in /proc")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str]:
        """Status and code, having checked that this is the API's one form of an error."""
        error = json.loads(self.body)
        assert {"code", "message", "errors", "request_id"} <= set(error)
        assert self.headers["content-type"].startswith("application/json")
        assert self.headers["x-request-id"] == error["request_id"]
        assert self.headers["cache-control"] == "no-store"
        return self.status, error["code"]


@dataclass(frozen=True)
class Server:
    port: int
    process: psutil.Process
    token: str
    temporary_files: Path

    def connect(self) -> socket.socket:
        connection = socket.socket()
        # What waits in buffers of the system counts as sent; small ones show what the server really took.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def ask(self, request: bytes) -> Answer:
        """Send bytes on a connection of their own; returns the first answer."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_answer(connection)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    temporary_files = folder / "temporary"
    temporary_files.mkdir()
    product = Product(folder, REQUEST_SECONDS=f"{REQUEST_SECONDS:g}", TMPDIR=str(temporary_files))
    try:
        child = product.start_web()
        process = psutil.Process(child.process.pid)
        yield Server(product.port, process, product.accounts["token"], temporary_files)
        assert child.is_running
        records = [json.loads(line) for line in (folder / "web.log").read_text().splitlines()]
        faults = [record for record in records if record["level"] == "ERROR"]
        assert {record["logger"] for record in faults} <= {"django.security.DisallowedHost"}, faults
    finally:
        product.stop()


def head(target: str, *lines: str, method: str = "POST", host: str = "127.0.0.1") -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode("latin1")


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer up to its end."""
    read = connection.makefile("rb")
    status = int(read.readline().split()[1])
    lines = iter(read.readline, b"\r\n")
    pairs = (line.decode("latin1").partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _colon, value in pairs}
    if "transfer-encoding" not in headers:
        return Answer(status, headers, read.read(int(headers.get("content-length", 0))))
    chunks = iter(lambda: read.read(int(read.readline(), 16) + 2)[:-2], b"")
    return Answer(status, headers, b"".join(chunks))


def is_closed(connection: socket.socket) -> bool:
    """Wait until the server closes; False when it says more."""
    with suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


TOO_LONG = {
    "an API call": head(f"{API}/runs", "Content-Length: 400000000"),
    "an upload of a stranger": head(UPLOAD, "Content-Length: 1048577"),
    "a cookie of another kind": head(UPLOAD, "Content-Length: 1048577", "Cookie: csrf=1; sessions=2"),
    "an upload above its own limit": head(UPLOAD, f"Content-Length: {51 * MIB + 1}", "Authorization: Bearer x"),
    "an unknown address": head(f"{API}/nothing", "Content-Length: 1048577", "Authorization: Bearer x"),
    "health": head(f"{API}/../../health/live", "Content-Length: 1048577"),
    "a body in one chunk": head(UPLOAD, "Transfer-Encoding: chunked") + b"100001\r\n" + b"x" * (MIB + 1),
    "a body in many chunks": head(UPLOAD, "Transfer-Encoding: chunked") + b"20000\r\n%b\r\n" % (b"x" * 2**17) * 9,
}


@pytest.mark.parametrize("request_", TOO_LONG.values(), ids=TOO_LONG.keys())
def test_a_body_that_is_too_long_is_refused_by_its_headers(server: Server, request_: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(request_)
        answer = read_answer(connection)
        assert answer.error == (413, "too_large")
        assert json.loads(answer.body)["limit"] in (MIB, 51 * MIB)
        assert answer.headers["connection"] == "close"
        assert is_closed(connection)


def test_a_page_is_refused_in_plain_words_of_the_callers_language(server: Server) -> None:
    answer = server.ask(head("/datasets/new", "Content-Length: 9999999", "Accept-Language: en"))
    assert (answer.status, answer.headers["content-type"]) == (413, "text/plain; charset=utf-8")
    assert answer.body == b"The request is larger than 1048576 bytes."


def test_who_asks_before_sending_is_told_before_sending(server: Server) -> None:
    answer = server.ask(head(f"{API}/runs", "Content-Length: 400000000", "Expect: 100-continue"))
    assert answer.status == 413
    welcome = server.ask(head(UPLOAD, "Content-Length: 40000000", "Expect: 100-continue", "Authorization: Bearer x"))
    assert welcome.status == 100


@pytest.mark.parametrize("credential", ["Authorization: Bearer {token}", "Cookie: a=b; session=unknown"])
def test_an_upload_of_megabytes_reaches_the_application_with_a_token_or_a_session(
    server: Server, credential: str
) -> None:
    lines = [credential.format(token=server.token), "Content-Type: text/plain", f"Content-Length: {3 * MIB}"]
    with server.connect() as connection:
        connection.sendall(head(UPLOAD, *lines) + b"x" * 3 * MIB)
        assert read_answer(connection).error in ((415, "unsupported_media_type"), (401, "token_missing"))


@SEES_OPEN_FILES
@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
def test_400_megabytes_of_a_stranger_cost_nothing(server: Server, is_chunked: bool) -> None:
    before = server.process.memory_info().rss
    framing = "Transfer-Encoding: chunked" if is_chunked else "Content-Length: 400000000"
    with server.connect() as connection:
        connection.sendall(head(UPLOAD, framing))
        sent = send_until_answered(connection, b"10000\r\n%b\r\n" % (b"x" * 2**16), limit=400_000_000)
        assert read_answer(connection).error == (413, "too_large")
    assert sent < 3 * MIB  # the limit of 1 MiB and 2 MiB past it
    assert server.process.memory_info().rss - before < GROWTH_BYTES
    assert list(server.temporary_files.iterdir()) == []
    wait_until(lambda: not held_files(server))


def send_until_answered(connection: socket.socket, piece: bytes, *, limit: int) -> int:
    """Send the piece again and again; returns how many bytes the other side let through."""
    sent = 0
    while sent < limit and not select.select([connection], [], [], 0)[0]:
        connection.sendall(piece)
        sent += len(piece)
    return sent


def held_files(server: Server) -> list[str]:
    """Files without a name that the process has open below its temporary folder."""
    links = [f"/proc/{server.process.pid}/fd/{number}" for number in os.listdir(f"/proc/{server.process.pid}/fd")]
    with suppress(FileNotFoundError):
        return [target for target in map(os.readlink, links) if str(server.temporary_files) in target]
    return ["changing"]


@SEES_OPEN_FILES
def test_an_upload_that_breaks_off_leaves_nothing(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(UPLOAD, f"Authorization: Bearer {server.token}", f"Content-Length: {40 * MIB}"))
        connection.sendall(b"x" * 2 * MIB)
        wait_until(lambda: bool(held_files(server)))
    wait_until(lambda: not held_files(server))
    assert list(server.temporary_files.iterdir()) == []


def test_a_chunked_sender_reads_why_it_was_stopped(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(f"{API}/runs", "Transfer-Encoding: chunked"))
        connection.sendall(b"110000\r\n%b\r\n" % (b"x" * 0x110000))
        assert read_answer(connection).error == (413, "too_large")


MALFORMED: dict[str, tuple[int, bytes]] = {
    "length and chunks": (400, head(f"{API}/runs", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    "chunks and length": (400, head(f"{API}/runs", "Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n"),
    "two lengths": (400, head(f"{API}/runs", "Content-Length: 2", "Content-Length: 2") + b"{}"),
    "negative length": (400, head(f"{API}/runs", "Content-Length: -5")),
    "signed length": (400, head(f"{API}/runs", "Content-Length: +5") + b"12345"),
    "length of 5,000 digits": (400, head(f"{API}/runs", f"Content-Length: {'9' * 5000}")),
    "coded chunks": (400, head(f"{API}/runs", "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n"),
    "chunk of no length": (400, head(f"{API}/runs", "Transfer-Encoding: chunked") + b"zz\r\n\r\n"),
    "a TLS greeting": (400, b"\x16\x03\x01\x02\x00\x01\r\n\r\n"),
    "no HTTP": (400, b"hello\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/0.9": (400, b"GET /bert-training/api/runs\r\n\r\n"),
    "address of 100 kB": (414, head(f"{API}/{'x' * 100_000}", method="GET")),
    "header of 100 kB": (431, head(f"{API}/runs", f"X: {'x' * 100_000}", method="GET")),
    "1,000 headers": (400, head(f"{API}/runs", *[f"X-{number}: x" for number in range(1000)], method="GET")),
    "header without colon": (400, head(f"{API}/runs", "nonsense", method="GET")),
    "header name with a space": (400, head(f"{API}/runs", "a b: c", method="GET")),
    "header with NUL": (400, head(f"{API}/runs", "X: \x00", method="GET")),
    "header with a vertical tab": (400, head(f"{API}/runs", "X: \x0b", method="GET")),
    "raw bytes in the path": (400, head(f"{API}/é", method="GET")),
    "raw bytes in the query": (400, head(f"{API}/runs?q=é", method="GET")),
    "raw bytes in the method": (400, head(f"{API}/runs", method="ÉT")),
    "foreign host": (400, head(f"{API}/runs", method="GET", host="evil.example")),
    "two hosts": (400, head(f"{API}/runs", "Host: 127.0.0.1", method="GET")),
    "2,000 query parameters": (400, head(f"{API}/runs?{'&'.join(map(str, range(2000)))}", method="GET")),
}


@pytest.mark.parametrize(("status", "request_"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_proper_request_gets_a_json_error(server: Server, status: int, request_: bytes) -> None:
    code = "invalid_field" if status == 400 else "too_large"
    assert server.ask(request_).error == (status, code)


def test_garbage_behind_a_request_is_refused_and_the_connection_closed(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(f"{API}/nothing", method="GET") + b"garbage\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(2**16), b""))
    statuses = re.findall(rb"HTTP/1.1 (\d+) ", received)
    assert statuses == [b"404", b"400"]


STRANGE_HEADERS = [
    "Accept: ;;;,/,\xff",
    'Accept: a/b;q="',
    "Accept-Language: " + "\xff," * 200,
    "Cookie: session=\xff\xfe; =;;; a",
    "X-Request-ID: \xff",
    "Daphne-Root-Path: /\xff",
    "Daphne-Root-Path: /bert-training",
    "X-Forwarded-Host: evil.example",
    "Upgrade: h2c",
    "Last-Event-ID: \xff",
    "Range: bytes=\xff-" + "9" * 5000,
    "If-None-Match: \xff",
    "Idempotency-Key: \xff",
    "Content-Type: \xff/;charset=\xff;=",
    "Content-Type: application/json;charset=undefined",
    "Content-Type: multipart/form-data",
    "Content-Type: multipart/form-data; boundary=x",
    'Content-Type: multipart/form-data; boundary="\xff"',
    "Content-Type: multipart/form-data;charset=hex",
    "Content-Type: application/x-www-form-urlencoded;charset=hex",
]


@pytest.mark.parametrize("header", STRANGE_HEADERS)
def test_a_strange_header_is_never_a_fault_of_ours(server: Server, header: str) -> None:
    credential = f"Authorization: Bearer {server.token}"
    for method, target in (("GET", "/runs"), ("GET", "/runs/1/logs"), ("POST", "/runs"), ("POST", "/datasets/upload")):
        answer = server.ask(head(API + target, credential, header, "Content-Length: 2", method=method) + b"{}")
        assert answer.status == 200 or answer.error[0] in (400, 404, 406, 415), (method, target)


def test_a_caller_cannot_move_the_root_of_the_portal(server: Server) -> None:
    lines = (f"Authorization: Bearer {server.token}", "Daphne-Root-Path: /bert-training/api")
    assert server.ask(head(f"{API}/runs", *lines, method="GET")).status == 200
    assert server.ask(head(f"{API}/health/live", *lines, method="GET")).error == (404, "not_found")


@pytest.mark.parametrize("target", [f"{API}/runs", "/ws", "/ws/runs/x"])
def test_a_websocket_at_an_unknown_address_is_denied(server: Server, target: str) -> None:
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    lines = ["Upgrade: websocket", "Connection: Upgrade", key, "Sec-WebSocket-Version: 13", "Origin: http://127.0.0.1"]
    with server.connect() as connection:
        connection.sendall(head(target, *lines, method="GET"))
        assert connection.recv(2**16).split(b" ")[1] == b"403"


def test_a_body_that_stops_coming_is_cut(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(f"{API}/runs", "Content-Length: 100") + b'{"dataset"')
        assert read_answer(connection).error == (408, "too_slow")
        assert is_closed(connection)


def test_a_thousand_idle_connections_keep_nobody_out(server: Server) -> None:
    assert server.ask(head("/health/ready", method="GET")).status == 200  # once: what it loads stays in memory
    before = server.process.memory_info().rss
    with ExitStack() as stack:
        idle = [stack.enter_context(server.connect()) for _number in range(IDLE_CONNECTIONS)]
        for connection in idle[::2]:
            connection.sendall(b"POST /bert-training/api/runs HTTP/1.1\r\n")
        assert server.ask(head("/health/ready", method="GET")).status == 200
        assert server.process.memory_info().rss - before < GROWTH_BYTES
        for connection in idle:
            assert read_to_end(connection)[:12] in (b"", b"HTTP/1.1 408")


def read_to_end(connection: socket.socket) -> bytes:
    received: list[bytes] = []
    with suppress(ConnectionResetError):
        received.extend(iter(lambda: connection.recv(2**16), b""))
    return b"".join(received)
