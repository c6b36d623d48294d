"""A program that webhooks call: a real HTTP server on this computer, and names that lead where a test says."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

NAME = "hooks.example"
LOOPBACK = "127.0.0.1"


@dataclass
class Receiver:
    """What arrived, and how it is answered. drip: seconds between the bytes of the answer."""

    port: int
    status: int = 200
    drip: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def host(self) -> str:
        """The name under which it is called."""
        return f"{NAME}:{self.port}"


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Start one for the block, with TLS where a context is given."""
    server = ThreadingHTTPServer((LOOPBACK, 0), BaseHTTPRequestHandler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_address[1])
    server.RequestHandlerClass = _handler_for(receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


def _handler_for(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.calls.append((dict(self.headers), body))
            lines = [f"HTTP/1.1 {receiver.status} x", *(f"{name}: {text}" for name, text in receiver.headers.items())]
            answer = "\r\n".join([*lines, "", ""]).encode()
            for place in range(0, len(answer), 1 if receiver.drip else len(answer)):
                self.wfile.write(answer[place : place + (1 if receiver.drip else len(answer))])
                time.sleep(receiver.drip)

        def log_message(self, *_arguments: Any) -> None:
            """Keep quiet."""

    return Handler


@dataclass
class Resolver:
    """Answers for NAME what a test says: each look-up takes the next answer, the last one stays."""

    answers: list[Sequence[str]]
    asked: int = 0

    def addresses(self) -> Sequence[str]:
        """Return the answer of one look-up."""
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """The name server of the test: NAME leads to this computer until the test says otherwise."""
    known, real = Resolver([[LOOPBACK]]), socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        if host != NAME:
            return real(host, port, *more, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known.addresses()]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver without TLS."""
    with receiving() as started:
        yield started
