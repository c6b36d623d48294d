"""What goes wrong on a bad line, one function each: `proxy.set(drop_response(), on="/logs/batch", share=0.3)`."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from tests.faults.proxy import Answer, Call, ConnectionCut, Fault, Forward, Send, reset, send_at_once

DRIPS_PER_SECOND = 20
POLL_SECONDS = 0.01


def latency(seconds: float) -> Fault:
    """The request takes this long to reach the portal."""

    async def act(_call: Call, forward: Forward) -> Answer:
        await asyncio.sleep(seconds)
        return await forward()

    return act


def drop_request() -> Fault:
    """The portal never sees the request; the connection is closed."""

    async def act(_call: Call, _forward: Forward) -> Answer:
        raise ConnectionCut

    return act


def drop_response() -> Fault:
    """The portal does its work, the client never learns: the connection is closed."""

    async def act(_call: Call, forward: Forward) -> Answer:
        await forward()
        raise ConnectionCut

    return act


def duplicate() -> Fault:
    """The portal gets the request twice, the client the second answer."""

    async def act(_call: Call, forward: Forward) -> Answer:
        await forward()
        return await forward()

    return act


def hold_back(seconds: float = 0.0, *, until: threading.Event | None = None) -> Fault:
    """The connection is closed, so that the client repeats; the request itself arrives up to `seconds` later.

    With `until` it arrives once the event is set: among, or long after, those that were sent later.
    """

    async def arrive(call: Call, forward: Forward) -> None:
        await asyncio.sleep(call.chance.uniform(0, seconds))
        while until is not None and not until.is_set():
            await asyncio.sleep(POLL_SECONDS)
        with suppress(ConnectionCut):  # the portal may be away by then
            await forward()

    async def act(call: Call, forward: Forward) -> Answer:
        call.start(arrive(call, forward))
        raise ConnectionCut

    return act


def blackhole() -> Fault:
    """No answer ever comes, also after the fault is over: the connection stays half open."""

    async def act(_call: Call, _forward: Forward) -> Answer:
        await asyncio.Event().wait()
        raise ConnectionCut

    return act


def reset_after(sent_bytes: int) -> Fault:
    """The answer breaks off after so many bytes, with RST."""

    async def act(call: Call, forward: Forward) -> Answer:
        answer = await forward()
        await send_at_once(call.client, (answer.head + answer.body)[:sent_bytes])
        raise ConnectionCut(is_reset=True)

    return act


def slow_drip(bytes_per_second: float) -> Fault:
    """The answer drips."""

    async def act(call: Call, forward: Forward) -> Answer:
        answer = await forward()
        await _drip(bytes_per_second)(call.client, answer.head + answer.body)
        call.exchange.delivered = True
        raise ConnectionCut

    return act


def reset_request_after(sent_bytes: int) -> Fault:
    """The request breaks off on its way to the portal after so many bytes, with RST on both sides."""

    async def send(portal: asyncio.StreamWriter, data: bytes) -> None:
        await send_at_once(portal, data[:sent_bytes])
        reset(portal)

    async def act(call: Call, forward: Forward) -> Answer:
        call.send = send
        return await forward()

    return act


def drip_request(bytes_per_second: float) -> Fault:
    """The request drips into the portal."""

    async def act(call: Call, forward: Forward) -> Answer:
        call.send = _drip(bytes_per_second)
        return await forward()

    return act


def alter_answer(change: Callable[[bytes], bytes]) -> Fault:
    """The body arrives changed under the headers of the true one: a byte flipped, or the end cut off."""

    async def act(call: Call, forward: Forward) -> Answer:
        answer = await forward()
        changed = replace(answer, body=change(answer.body))
        if len(changed.body) == len(answer.body):
            return changed
        await send_at_once(call.client, changed.head + changed.body)
        raise ConnectionCut

    return act


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Fault:
    """Something else answers, and the portal never sees the request: a gateway, a sign-in page, a redirect."""
    given = {"Content-Type": "text/html", **(headers or {}), "Content-Length": str(len(body))}
    rows = [f"HTTP/1.1 {status} Something else", *(f"{name}: {value}" for name, value in given.items()), "", ""]

    async def act(_call: Call, _forward: Forward) -> Answer:
        return Answer(status, "\r\n".join(rows).encode("latin1"), body)

    return act


def _drip(bytes_per_second: float) -> Send:
    async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
        size = max(1, round(bytes_per_second / DRIPS_PER_SECOND))
        for start in range(0, len(data), size):
            await send_at_once(writer, data[start : start + size])
            await asyncio.sleep(size / bytes_per_second)

    return send
