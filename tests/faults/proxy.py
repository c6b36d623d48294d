"""An HTTP proxy between a worker and the portal that records every exchange and lets faults (bad_line.py) act on them.

Store and forward: each request goes to the portal on a connection of its own, and its answer is read whole before a
byte of it goes on. So no websockets and no event streams. Chance comes from a fixed seed.
"""

import asyncio
import random
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

SEED = 20_261_120
PATIENCE_SECONDS = 20.0
HEAD_BYTES = 64 * 1024


class ConnectionCut(Exception):
    """The client's connection ends here: by a reset (RST), or as if the other side had hung up."""

    def __init__(self, *, is_reset: bool = False) -> None:
        self.is_reset = is_reset


@dataclass
class Exchange:
    """One request as the client sent it, and what the portal answered. `delivered`: the client got all of it."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    request: bytes
    started_at: float  # monotonic
    status: int | None = None
    answer: bytes = b""
    delivered: bool = False
    answer_headers: dict[str, str] = field(default_factory=dict)
    answered_at: float = float("inf")  # monotonic, when the portal's answer was here
    client_port: int = 0  # tells the connections of a client apart
    answers: int = 0  # of the portal: 2 when the request was doubled

    def note(self, answer: "Answer") -> None:
        """Take down an answer."""
        self.status, self.answer, self.answer_headers = answer.status, answer.body, parse_head(answer.head)[1]
        self.answered_at = time.monotonic()


@dataclass(frozen=True)
class Answer:
    """An answer on its way; `head` is its status line and headers as they are on the wire."""

    status: int
    head: bytes
    body: bytes


Send = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


@dataclass
class Call:
    """One request under way: what a fault may look at and use."""

    exchange: Exchange
    raw: bytes
    client: asyncio.StreamWriter
    chance: random.Random
    send: Send  # how the bytes go to the portal
    start: Callable[[Coroutine[Any, Any, object]], None]  # for what goes on when the client is gone


Forward = Callable[[], Coroutine[Any, Any, Answer]]
Fault = Callable[[Call, Forward], Coroutine[Any, Any, Answer]]  # ends with an answer, or raises ConnectionCut


@dataclass(eq=False)
class Rule:
    """A fault in force: for a `share` of the requests whose path contains `on`, `times` times at most."""

    fault: Fault
    on: str
    share: float
    times: float
    hits: int = 0

    @property
    def name(self) -> str:
        """Return the name of the fault."""
        return self.fault.__qualname__.partition(".")[0]

    def takes(self, call: Call) -> bool:
        """Decide about one request, and count it."""
        if self.hits >= self.times or self.on not in call.exchange.path or call.chance.random() >= self.share:
            return False
        self.hits += 1
        return True


class Proxy:
    """Listens on a free port and passes requests on to `upstream_port` of 127.0.0.1. Use as a context manager."""

    def __init__(self, upstream_port: int, *, host: str = "127.0.0.1", seed: int = SEED) -> None:
        self.exchanges: list[Exchange] = []
        self.host, self.port = host, 0
        self._rules: tuple[Rule, ...] = ()
        self._upstream_port = upstream_port
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.connections: set[asyncio.StreamWriter] = set()  # of clients, open now

    @property
    def url(self) -> str:
        """Return the address that a worker is given."""
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    # --- what a test does

    def set(self, fault: Fault, *, on: str = "", share: float = 1.0, times: float = float("inf")) -> Rule:
        """Add a fault from the next request on. The one added first is the nearest to the client."""
        rule = Rule(fault, on, share, times)
        self._rules = (*self._rules, rule)
        return rule

    def clear(self, rule: Rule | None = None) -> None:
        """Take one rule away, or all of them, and accept connections again."""
        self._rules = tuple(other for other in self._rules if rule is not None and other is not rule)
        if self._server is None:
            self._run(self._listen())

    def refuse(self) -> None:
        """Refuse connections until `clear`, and reset those that are open."""
        self._run(self._refuse())

    def sent(self, part: str) -> list[Exchange]:
        """Return the exchanges whose path contains `part`, oldest first."""
        return [exchange for exchange in list(self.exchanges) if part in exchange.path]

    # --- on the thread of the loop

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port, limit=HEAD_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in self.connections:
            reset(client)

    async def _end(self) -> None:
        await self._refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._start(self._serve(reader, client))

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.connections.add(client)
        try:
            while True:
                await self._serve_one(reader, client)
        except ConnectionCut as cut:
            if cut.is_reset:
                reset(client)
        except (OSError, EOFError):
            pass  # the client is gone
        finally:
            self.connections.discard(client)
            client.close()

    async def _serve_one(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, headers = parse_head(head)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _version = line.split(" ")
        exchange = Exchange(method, path, headers, body, time.monotonic())
        exchange.client_port = client.get_extra_info("peername")[1]
        self.exchanges.append(exchange)
        answer = await self._lead(Call(exchange, head + body, client, self._chance, send_at_once, self._start))
        exchange.note(answer)
        await send_at_once(client, answer.head + answer.body)
        exchange.delivered = True

    async def _lead(self, call: Call) -> Answer:
        """Lead a request through the faults that take it, to the portal and back."""

        async def forward() -> Answer:
            return await self._ask(call)

        for rule in [rule for rule in self._rules if rule.takes(call)][::-1]:
            forward = _bind(rule.fault, call, forward)
        return await forward()

    async def _ask(self, call: Call) -> Answer:
        """Ask the portal, whose absence looks as it would without us."""
        try:
            reader, portal = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError as error:
            raise ConnectionCut(is_reset=True) from error
        sending = self._loop.create_task(_send_to(portal, call))
        try:
            answer = await read_answer(reader)  # which may come before the whole request has gone
        except (OSError, EOFError) as error:
            raise ConnectionCut(is_reset=True) from error
        finally:
            sending.cancel()
            portal.close()
        call.exchange.note(answer)
        call.exchange.answers += 1
        return answer


def _bind(fault: Fault, call: Call, forward: Forward) -> Forward:
    return lambda: fault(call, forward)


async def _send_to(portal: asyncio.StreamWriter, call: Call) -> None:
    with suppress(OSError):  # the portal hung up: what it has answered decides
        await call.send(portal, call.raw)


async def send_at_once(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send all of it."""
    writer.write(data)
    await writer.drain()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one whole answer; one in chunks gets a length instead."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, headers = parse_head(head)
    status = int(line.split(" ")[1])
    if headers.get("transfer-encoding", "").lower() != "chunked":
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status, head, body)
    body = b"".join([chunk async for chunk in _chunks(reader)])
    kept = [row for row in head.split(b"\r\n") if row and not row.lower().startswith(b"transfer-encoding:")]
    return Answer(status, b"\r\n".join([*kept, b"Content-Length: %d" % len(body), b"", b""]), body)


async def _chunks(reader: asyncio.StreamReader) -> Any:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readline()
    await reader.readline()


def parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    """Return the first line and the headers, their names in lower case."""
    line, *rows = head.decode("latin1").strip().split("\r\n")
    return line, {name.lower(): value.strip() for name, _colon, value in (row.partition(":") for row in rows)}


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN; what was not read yet is lost to the other side."""
    connection = writer.get_extra_info("socket")
    if connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
